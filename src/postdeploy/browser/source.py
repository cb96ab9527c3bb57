"""Where the pages of a pool get their browser from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from postdeploy.browser.find import Browser
from postdeploy.browser.running import RunningBrowser
from postdeploy.errors import BrowserUnavailableError

__all__ = ["BrowserSource"]

_TRIES: Final = 2


class BrowserSource:
    """Hands out the running browser; starts one if there is none, and gives up after two failed starts in a row."""

    def __init__(self, find: Callable[[], Browser], start: Callable[[Browser], Awaitable[RunningBrowser]]) -> None:
        self._find = find
        self._start_browser = start
        self._lock = asyncio.Lock()
        self._current: RunningBrowser | None = None
        self._failures = 0
        self._error: BrowserUnavailableError | None = None

    async def get(self) -> RunningBrowser:
        """The browser. Raises BrowserUnavailableError."""
        async with self._lock:
            if self._current is not None and not self._current.alive:
                await self.close()
            if self._current is None:
                self._current = await self._start()
            return self._current

    async def _start(self) -> RunningBrowser:
        if self._error is not None and self._failures >= _TRIES:
            raise self._error
        try:
            browser = await self._start_browser(self._find())
        except BrowserUnavailableError as error:
            self._failures += 1
            self._error = error
            raise
        self._failures = 0
        return browser

    async def close(self) -> None:
        """End the browser, if there is one."""
        current, self._current = self._current, None
        if current is not None:
            await current.close()

    def kill(self) -> None:
        """End the browser at once, from any thread."""
        if self._current is not None:
            self._current.kill()
