"""The browser of Python tests: Playwright's synchronous API, started when the first test needs it, one for a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postdeploy.browser.direct import guard_client, refuse_client_contexts
from postdeploy.browser.faults import is_gone
from postdeploy.browser.find import Browser
from postdeploy.browser.processes import PROCESS_INFO, browser_process, kill_process
from postdeploy.browser.recorder import PageRecorder
from postdeploy.browser.refusal import refuse_sync
from postdeploy.browser.running import start_error
from postdeploy.browser.toll import Rules
from postdeploy.errors import BrowserUnavailableError
from postdeploy.guard.seat_belt import by_ourselves

if TYPE_CHECKING:
    from playwright.sync_api import Browser as PlaywrightBrowser
    from playwright.sync_api import BrowserContext, Playwright

__all__ = ["BrowserSession"]


class BrowserSession:
    """Playwright and one browser on the calling thread, which has an event loop from then on: use no other there.

    Args:
        browser: which browser to start; called once it is needed.
        launch_arguments: further arguments of the browser's command line.
        playwright: one that runs on this thread already, as a thread can have only one.
    """

    def __init__(
        self,
        browser: Callable[[], Browser],
        *,
        launch_arguments: Sequence[str] = (),
        playwright: Playwright | None = None,
    ) -> None:
        self._find = browser
        self._arguments = list(launch_arguments)
        self._own = playwright is None
        self._playwright = playwright
        self._browser: PlaywrightBrowser | None = None
        self._pid: int | None = None

    @property
    def playwright(self) -> Playwright:
        """Playwright itself, running."""
        if self._playwright is None:
            self._find()  # which says how to install Playwright where it is missing
            from playwright.sync_api import sync_playwright

            with by_ourselves():
                self._playwright = sync_playwright().start()
            refuse_client_contexts(self._playwright)
        return self._playwright

    @property
    def browser(self) -> PlaywrightBrowser:
        """The running browser, a fresh one if the last one ended. Raises BrowserUnavailableError."""
        if self._browser is None or not self._browser.is_connected():
            self._browser = self._launch()
        return self._browser

    def open_context(
        self,
        base_url: str | None = None,
        *,
        recorder: PageRecorder | None = None,
        rules: Rules | None = None,
        user_agent: str | None = None,
        extra_http_headers: Mapping[str, str] | None = None,
        storage_state: str | Path | Mapping[str, Any] | None = None,
        **user_args: Any,
    ) -> BrowserContext:
        """A new context, recorded and guarded; ``user_args`` are those of Playwright's ``new_context``."""
        facts = {
            "base_url": base_url,
            "user_agent": user_agent,
            "extra_http_headers": dict(extra_http_headers) if extra_http_headers else None,
            "storage_state": storage_state,
            "service_workers": "block",
        }
        given = {name: value for name, value in facts.items() if value is not None}
        context = self._new_context({**given, **user_args})
        recorder = recorder or PageRecorder()
        recorder.follow(context)
        if rules is not None:
            refuse_sync(context, rules, recorder.watch)
            guard_client(context, rules, recorder.watch, user_args.get("base_url", base_url))
        return context

    def kill(self) -> None:
        """End the browser at once, from any thread: a call that never returns fails, the next test gets a fresh one."""
        kill_process(self._pid)

    def close(self) -> None:
        """End browser and driver."""
        browser, playwright, self._browser, self._playwright = self._browser, self._playwright, None, None
        with contextlib.suppress(Exception):  # a browser that is gone already needs no end
            if browser is not None:
                browser.close()
        with contextlib.suppress(Exception):
            if playwright is not None and self._own:
                playwright.stop()

    def _new_context(self, facts: Mapping[str, Any]) -> BrowserContext:
        try:
            return self.browser.new_context(**facts)
        except BrowserUnavailableError:
            raise
        except Exception as error:
            if not is_gone(str(error)):
                raise
            self.close()  # the driver ended, which a browser does not notice
            return self.browser.new_context(**facts)

    def _launch(self) -> PlaywrightBrowser:
        found = self._find()
        from playwright.sync_api import Error

        try:
            with by_ourselves():
                browser = self.playwright.chromium.launch(
                    executable_path=found.executable,
                    args=self._arguments,
                    handle_sigint=False,
                    handle_sigterm=False,
                    handle_sighup=False,
                )
            session = browser.new_browser_cdp_session()
            self._pid = browser_process(session.send(PROCESS_INFO))
        except (Error, OSError) as error:
            raise start_error(found, error) from error
        return browser
