"""The browser for declared pages, found and started when a page is first asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from postdeploy.domain.target import Target
from postdeploy.guard.fence import BrowserFence

if TYPE_CHECKING:
    from postdeploy.browser.loan import Loan
    from postdeploy.browser.pages import PagePool

__all__ = ["LazyPages"]

_LENT: Final = "POSTDEPLOY_LENT_BROWSER"
"""Says which browser a resident monitor lends (see ``browser.loan``), to this process alone."""


class LazyPages:
    """Stands for the pool of pages; one that was closed is opened again when it is asked."""

    def __init__(self, setting: str | None, target: Target, fence: BrowserFence) -> None:
        self._setting = setting
        self._target = target
        self._fence = fence
        self._pool: PagePool | None = None
        self._lent = os.environ.pop(_LENT, "")
        self._loan: Loan | None = None

    def warm(self) -> None:
        """Start the browser, without waiting for it."""
        self._opened().warm()

    def submit(self, task: Any) -> Any:
        """Look at a page."""
        return self._opened().submit(task)

    def close(self) -> None:
        """End the browser, if there is one."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _opened(self) -> PagePool:
        if self._pool is None:
            from postdeploy.browser.find import find_browser
            from postdeploy.browser.loan import read_loan
            from postdeploy.browser.pages import PagePool
            from postdeploy.guard.identity import user_agent

            if self._lent:
                self._loan, self._lent = read_loan(self._lent), ""
            self._pool = PagePool(
                lambda: find_browser(self._setting, os.environ),
                user_agent=user_agent(),
                release_header=self._target.release.header if self._target.release else None,
                launch_arguments=self._fence.arguments(),
                loan=self._loan,
                route=self._fence.route(),
            )
        return self._pool
