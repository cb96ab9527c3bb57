"""The browser that a resident monitor keeps for its runs: lent to one at a time, replaced as soon as it is in doubt."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from postdeploy.cli.watch_output import complain

if TYPE_CHECKING:
    from postdeploy.browser.loan import Said
    from postdeploy.browser.resident import ResidentBrowser

__all__ = ["BrowserKeeper"]

_RUNS: Final = 200
_MEMORY: Final = 2**30
_SAID: Final = 4096


class BrowserKeeper:
    """Starts a browser when a run has wanted one, for the next; none where no run wants one.

    Args:
        keeps: whether it does so at all.
    """

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps and sys.platform == "linux"
        self._browser: ResidentBrowser | None = None
        self._listening = -1
        self._telling = -1

    def lend(self) -> dict[str, str]:
        """The variables of the run that is forked next."""
        if not self._keeps:
            return {}
        from postdeploy.browser.loan import LENT, Loan

        self._listening, self._telling = os.pipe()
        os.set_blocking(self._listening, False)
        browser = self._browser
        if browser is None or not browser.alive:
            return {LENT: Loan(self._telling).text()}
        return {LENT: Loan(self._telling, browser.wish, browser.lend()).text()}

    def settle(self) -> None:
        """The run is over: go on with the browser if it has given it back well, else with a new one."""
        if self._keeps:
            said = self._said()
            if self._browser is not None and not (said is not None and self._is_well(self._browser, said)):
                self.close()
            if self._browser is None and said is not None:
                self._start(said)

    def cpu(self) -> float:
        """Seconds of processor time that the browser has used which is there."""
        return self._browser.usage().cpu if self._browser is not None else 0.0

    def close(self) -> None:
        """End it, if there is one."""
        browser, self._browser = self._browser, None
        if browser is not None:
            browser.end()

    def _said(self) -> Said | None:
        from postdeploy.browser.loan import read_said

        os.close(self._telling)
        try:
            return read_said(os.read(self._listening, _SAID))
        except BlockingIOError:  # something of the run has not ended yet
            return None
        finally:
            os.close(self._listening)

    def _is_well(self, browser: ResidentBrowser, said: Said) -> bool:
        fit = said.clean and said.wish == browser.wish and browser.alive
        return fit and browser.runs < _RUNS and browser.usage().memory < _MEMORY

    def _start(self, said: Said) -> None:
        from postdeploy.browser.resident import ResidentBrowser

        try:
            self._browser = ResidentBrowser(said.wish)
        except OSError as error:  # runs start their own, and say what is wrong
            complain(error)
