"""Declared page checks: several pages at a time in one browser, on a thread and an event loop of their own."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from postdeploy.browser.devtools.browser import DevToolsBrowser
from postdeploy.browser.devtools.engine import NoEngineError
from postdeploy.browser.devtools.lent import borrow
from postdeploy.browser.find import Browser
from postdeploy.browser.loan import Loan, Wish
from postdeploy.browser.processes import DriverLoop
from postdeploy.browser.running import RunningBrowser
from postdeploy.browser.source import BrowserSource
from postdeploy.browser.task import PageTask
from postdeploy.browser.visit import BrowserGoneError, visit
from postdeploy.domain.observation import PageObservation
from postdeploy.errors import ProbeError

__all__ = ["PagePool", "PageTask"]

_CLOSE: Final = 1.7
_GIVE_UP: Final = 0.6
_T = TypeVar("_T")


class PagePool:
    """Looks at pages, each in a new context; the browser starts with the first one, or with ``warm()``.

    Args:
        browser: which browser to start; called on the pool's thread, once it is needed.
        concurrency: how many pages are open at a time.
        user_agent: what the browser calls itself, if not by its own name.
        release_header: the response header that names the release, if there is one.
        launch_arguments: further arguments of the browser's command line.
        direct: whether to drive the browser ourselves where that is possible; else Playwright does it all.
        loan: the browser of somebody else that may be used instead of an own one.
        route: the proxy of a browser that is lent, and what bypasses it.
    """

    def __init__(
        self,
        browser: Callable[[], Browser],
        *,
        concurrency: int = 4,
        user_agent: str | None = None,
        release_header: str | None = None,
        launch_arguments: Sequence[str] = (),
        direct: bool = sys.platform != "win32",
        loan: Loan | None = None,
        route: tuple[str, str] | None = None,
    ) -> None:
        async def start(found: Browser) -> RunningBrowser:
            lent = None
            if loan is not None and route is not None:
                lent = await borrow(loan, Wish(str(found.executable), user_agent or ""), route)
            return lent or await DevToolsBrowser.start(found, launch_arguments, user_agent)

        async def start_playwright(found: Browser) -> RunningBrowser:
            from postdeploy.browser.chromium import Chromium

            return await Chromium.start(found, launch_arguments, user_agent)

        self._playwright = BrowserSource(browser, start_playwright)
        self._source = BrowserSource(browser, start) if direct else self._playwright
        self._release_header = release_header
        self._slots = asyncio.Semaphore(concurrency)
        self._work: set[asyncio.Task[Any]] = set()
        self._lock = Lock()
        self._loop: DriverLoop | None = None
        self._thread: Thread | None = None
        self._closed = False

    def warm(self) -> None:
        """Start the browser now, without waiting for it; a failure to do so shows with the first page."""
        self._run(self._source.get())

    def submit(self, task: PageTask) -> Future[PageObservation]:
        """Look at a page. The future raises ProbeError, GuardRefusalError or BrowserUnavailableError."""
        return self._run(self._look(task))

    def close(self) -> None:
        """End the browser and its driver, within two seconds; pages that are being looked at are given up."""
        with self._lock:
            self._closed = True
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        atexit.unregister(self.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_CLOSE)
        if thread.is_alive():
            self._source.kill()
            self._playwright.kill()
            loop.kill_children()

    def _run(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        with self._lock:
            if not self._closed:
                return asyncio.run_coroutine_threadsafe(self._tracked(work), self._loop or self._start())
        work.close()
        refused: Future[_T] = Future()
        refused.set_exception(_given_up())
        return refused

    def _start(self) -> DriverLoop:
        self._loop = DriverLoop()
        self._thread = Thread(target=self._serve, args=(self._loop,), name="postdeploy-pages", daemon=True)
        self._thread.start()
        atexit.register(self.close)
        return self._loop

    def _serve(self, loop: DriverLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(self._end())
        finally:
            loop.run_until_complete(loop.reap_children())
            loop.close()

    async def _end(self) -> None:
        for work in self._work:
            work.cancel()
        if self._work:
            await asyncio.wait(self._work, timeout=_GIVE_UP)
        await asyncio.gather(self._source.close(), self._playwright.close())

    async def _tracked(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do the work so that ``close()`` can end it, which those who wait for it see as an error."""
        current = asyncio.current_task()
        self._work.add(current)  # type: ignore[arg-type]  # this coroutine is a task
        try:
            return await work
        except asyncio.CancelledError:
            if self._closed:
                raise _given_up() from None
            raise
        finally:
            self._work.discard(current)

    async def _look(self, task: PageTask) -> PageObservation:
        async with self._slots:
            try:
                return await self._visit(task)
            except BrowserGoneError:
                return await self._again(task)

    async def _again(self, task: PageTask) -> PageObservation:
        try:
            return await self._visit(task)
        except BrowserGoneError as error:
            message = f"the browser ended twice while it looked at {task.url}"
            raise ProbeError("browser_crashed", message, target_fault=False) from error

    async def _visit(self, task: PageTask) -> PageObservation:
        """Drive the browser ourselves, but let Playwright record traces and find what we cannot."""
        if not task.trace:
            with contextlib.suppress(NoEngineError):
                return await visit(await self._source.get(), task, self._release_header)
        return await visit(await self._playwright.get(), task, self._release_header)


def _given_up() -> ProbeError:
    return ProbeError("browser_closed", "the browser was closed before this page was looked at", target_fault=False)
