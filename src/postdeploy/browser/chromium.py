"""One running browser with its driver, on the event loop of the page pool; it ends when it should, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from postdeploy.browser.find import INSTALL_HINT, Browser
from postdeploy.browser.processes import PROCESS_INFO, DriverLoop, browser_process, kill_process
from postdeploy.errors import BrowserUnavailableError

if TYPE_CHECKING:
    from playwright.async_api import Browser as PlaywrightBrowser
    from playwright.async_api import CDPSession, Playwright

__all__ = ["Chromium", "ChromiumSource", "start_error"]

_LAUNCH: Final = 20.0
_CLOSE: Final = 0.5
_ANSWER: Final = 0.4
_TRIES: Final = 2


def start_error(found: Browser, error: BaseException) -> BrowserUnavailableError:
    """The error for a browser that did not start."""
    lines = str(error).strip().splitlines() or [f"it did not answer within {_LAUNCH:.0f} s"]
    return BrowserUnavailableError(f"{found.executable} did not start: {lines[0]}; {INSTALL_HINT}")


class Chromium:
    """A driver and the browser that it started."""

    def __init__(
        self, playwright: Playwright, browser: PlaywrightBrowser, session: CDPSession, pid: int | None
    ) -> None:
        self._playwright = playwright
        self._driver = cast("DriverLoop", asyncio.get_running_loop()).children[-1]
        self._session = session
        self._pid = pid
        self._killed = False
        self.browser = browser

    @classmethod
    async def start(cls, found: Browser, arguments: Sequence[str]) -> Chromium:
        """Start both. Raises BrowserUnavailableError."""
        from playwright.async_api import Error, async_playwright

        playwright = None
        try:
            async with asyncio.timeout(_LAUNCH):
                playwright = await async_playwright().start()
                browser = await playwright.chromium.launch(
                    executable_path=found.executable,
                    args=list(arguments),
                    handle_sigint=False,  # whoever is interrupted closes the pool
                    handle_sigterm=False,
                    handle_sighup=False,
                )
                session = await browser.new_browser_cdp_session()
                return cls(playwright, browser, session, browser_process(await session.send(PROCESS_INFO)))
        except (Error, OSError, TimeoutError) as error:
            if playwright is not None:
                await _in_time(playwright.stop())
            raise start_error(found, error) from error

    @property
    def alive(self) -> bool:
        """Whether both are there; a browser whose driver is gone counts as connected in Playwright."""
        return not self._killed and self.browser.is_connected() and self._driver.get_returncode() is None

    async def answers(self) -> bool:
        """Whether the browser itself responds, whatever its pages do."""
        try:
            await asyncio.wait_for(self._session.send("Browser.getVersion"), _ANSWER)
        except Exception:  # noqa: BLE001  # however it fails, it is not an answer
            return False
        return self.alive

    def kill(self) -> None:
        """End the browser at once: every call that waits for one of its pages fails."""
        self._killed = True
        kill_process(self._pid)

    async def close(self) -> None:
        """End browser and driver, by force where they do not end by themselves."""
        await _in_time(self.browser.close())
        if self.alive:
            self.kill()
        await _in_time(self._playwright.stop())
        if self._driver.get_returncode() is None:
            self._driver.kill()


async def _in_time(action: Any) -> None:
    with contextlib.suppress(Exception):  # it is being thrown away: how it ends does not matter
        await asyncio.wait_for(action, _CLOSE)


class ChromiumSource:
    """Hands out the running browser; starts one if there is none, and gives up after two failed starts in a row."""

    def __init__(self, find: Callable[[], Browser], arguments: Sequence[str]) -> None:
        self._find = find
        self._arguments = arguments
        self._lock = asyncio.Lock()
        self._current: Chromium | None = None
        self._failures = 0
        self._error: BrowserUnavailableError | None = None

    async def get(self) -> Chromium:
        """The browser. Raises BrowserUnavailableError."""
        async with self._lock:
            if self._current is not None and not self._current.alive:
                await self.close()
            if self._current is None:
                self._current = await self._start()
            return self._current

    async def _start(self) -> Chromium:
        if self._error is not None and self._failures >= _TRIES:
            raise self._error
        try:
            chromium = await Chromium.start(self._find(), self._arguments)
        except BrowserUnavailableError as error:
            self._failures += 1
            self._error = error
            raise
        self._failures = 0
        return chromium

    async def close(self) -> None:
        """End the browser, if there is one."""
        current, self._current = self._current, None
        if current is not None:
            await current.close()

    def kill(self) -> None:
        """End the browser at once, from any thread."""
        if self._current is not None:
            self._current.kill()
