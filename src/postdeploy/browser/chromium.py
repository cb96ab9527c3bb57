"""A browser that Playwright drives, with its driver, on the event loop of the page pool; it ends when it should."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from postdeploy.browser.find import Browser
from postdeploy.browser.playwright_tab import PlaywrightTab
from postdeploy.browser.processes import PROCESS_INFO, DriverLoop, browser_process, kill_process
from postdeploy.browser.running import ANSWER, CLOSE, LAUNCH, in_time, start_error
from postdeploy.browser.task import PageTask
from postdeploy.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.async_api import Browser as PlaywrightBrowser
    from playwright.async_api import CDPSession, Playwright

__all__ = ["Chromium"]


class Chromium:
    """A driver and the browser that it started."""

    def __init__(
        self,
        playwright: Playwright,
        browser: PlaywrightBrowser,
        session: CDPSession,
        pid: int | None,
        user_agent: str | None,
    ) -> None:
        self._playwright = playwright
        self._driver = cast("DriverLoop", asyncio.get_running_loop()).children[-1]
        self._session = session
        self._pid = pid
        self._user_agent = user_agent
        self._killed = False
        self._browser = browser

    @classmethod
    async def start(cls, found: Browser, arguments: Sequence[str], user_agent: str | None) -> Chromium:
        """Start both. Raises BrowserUnavailableError."""
        from playwright.async_api import Error, async_playwright

        playwright = None
        try:
            async with asyncio.timeout(LAUNCH):
                playwright = await async_playwright().start()
                browser = await playwright.chromium.launch(
                    executable_path=found.executable,
                    args=list(arguments),
                    handle_sigint=False,  # whoever is interrupted closes the pool
                    handle_sigterm=False,
                    handle_sighup=False,
                )
                session = await browser.new_browser_cdp_session()
                pid = browser_process(await session.send(PROCESS_INFO))
                return cls(playwright, browser, session, pid, user_agent)
        except (Error, OSError, TimeoutError) as error:
            if playwright is not None:
                await in_time(playwright.stop(), CLOSE)
            raise start_error(found, error) from error

    @property
    def alive(self) -> bool:
        """Whether both are there; a browser whose driver is gone counts as connected in Playwright."""
        return not self._killed and self._browser.is_connected() and self._driver.get_returncode() is None

    async def answers(self) -> bool:
        """Whether the browser itself responds, whatever its pages do."""
        try:
            await asyncio.wait_for(self._session.send("Browser.getVersion"), ANSWER)
        except Exception:  # noqa: BLE001  # however it fails, it is not an answer
            return False
        return self.alive

    def tab(self, task: PageTask, watch: Watch) -> PlaywrightTab:
        """A page for a task, which is yet to be opened."""
        return PlaywrightTab(self._browser, task, watch, self._user_agent)

    def kill(self) -> None:
        """End the browser at once: every call that waits for one of its pages fails."""
        self._killed = True
        kill_process(self._pid)

    async def close(self) -> None:
        """End browser and driver, by force where they do not end by themselves."""
        await in_time(self._browser.close(), CLOSE)
        if self.alive:
            self.kill()
        await in_time(self._playwright.stop(), CLOSE)
        if self._driver.get_returncode() is None:
            self._driver.kill()
