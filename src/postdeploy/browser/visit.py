"""One visit to one page in a context of its own: go there, look until it has settled, keep evidence if it does not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Final

from postdeploy.browser.evidence import SCREENSHOT, TRACE, kept, write_logs
from postdeploy.browser.faults import BrowserError, is_gone, navigation_fault
from postdeploy.browser.look import Glance, glance
from postdeploy.browser.running import RunningBrowser, Tab, in_time
from postdeploy.browser.task import PageTask
from postdeploy.browser.watch import Watch
from postdeploy.domain.observation import FailedRequest, PageObservation
from postdeploy.errors import GuardRefusalError, ProbeError

__all__ = ["BrowserGoneError", "visit"]

_OPEN: Final = 15.0
_SCREENSHOT: Final = 0.7  # these, with an answer of the browser, fit into the two seconds after a deadline
_TRACE: Final = 0.5
_CLOSE: Final = 0.4
_INTERVAL: Final = 0.05
_NOTICE: Final = 0.02
_PATIENCE: Final = 2.0
_NOTICES: Final = 6
_CHEAP: Final = 2


class BrowserGoneError(Exception):
    """The browser ended during a visit, for a reason that the page of this visit has not shown to be its own."""


async def visit(browser: RunningBrowser, task: PageTask, release_header: str | None) -> PageObservation:
    """Visit a page. Raises ProbeError, GuardRefusalError or BrowserGoneError."""
    try:
        async with _opened(browser, task, Watch(release_header)) as (tab, watch):
            return await _Visit(browser, tab, watch, task).run()
    except BrowserError as error:
        if await _ended(browser, error.message):
            raise BrowserGoneError(error.message) from error
        raise navigation_fault(error.message, task.url) from error


@contextlib.asynccontextmanager
async def _opened(browser: RunningBrowser, task: PageTask, watch: Watch) -> AsyncIterator[tuple[Tab, Watch]]:
    tab = browser.tab(task, watch)
    try:
        try:
            async with asyncio.timeout(_OPEN):
                await tab.open()
        except TimeoutError as error:
            browser.kill()
            raise ProbeError("browser_stuck", f"no page opened within {_OPEN:.0f} s", target_fault=False) from error
        yield tab, watch
    finally:
        await _close(browser, tab)


async def _ended(browser: RunningBrowser, text: str) -> bool:
    """Whether the browser is gone; its driver notices a little later than the calls that fail by it."""
    for _ in range(_NOTICES if is_gone(text) else 0):
        if not browser.alive:
            return True
        await asyncio.sleep(_INTERVAL)
    return not browser.alive


async def _close(browser: RunningBrowser, tab: Tab) -> None:
    """Close a context; a page that keeps even that from happening loses its browser."""
    try:
        await asyncio.wait_for(tab.close(), _CLOSE)
    except TimeoutError:
        browser.kill()
    except BrowserError:
        pass  # it is gone already


@contextlib.asynccontextmanager
async def _time_limit(task: PageTask) -> AsyncIterator[None]:
    """The task's own; what its requests had to wait for their turn does not count, for that is no fault of the page."""
    loop, pace = asyncio.get_running_loop(), task.pace
    end = loop.time() + task.timeout
    before = pace.held() if pace is not None else 0.0
    async with asyncio.timeout_at(end) as limit:
        timer: list[asyncio.TimerHandle] = []

        def extend() -> None:
            later = end + (pace.held() - before if pace is not None else 0.0)
            if later > (limit.when() or end) + _NOTICE:
                limit.reschedule(later)
                timer[:] = [loop.call_at(later - _NOTICE, extend)]

        timer.append(loop.call_at(end - _NOTICE, extend))
        try:
            yield
        finally:
            timer[0].cancel()


class _Visit:
    """The state of one visit."""

    def __init__(self, browser: RunningBrowser, tab: Tab, watch: Watch, task: PageTask) -> None:
        self._browser = browser
        self._tab = tab
        self._watch = watch
        self._task = task
        self._last: Glance | None = None
        self._loaded: float | None = None
        self._start = perf_counter()

    async def run(self) -> PageObservation:
        """Go there and look until it has settled or the time is over."""
        try:
            async with _time_limit(self._task):
                await self._tab.goto(self._task.url)
                return await self._until_settled()
        except TimeoutError:
            return await self._unsettled()
        except Exception as error:
            await self._keep()
            reason = self._watch.refused_document
            if reason is not None:
                raise GuardRefusalError(reason) from error
            raise

    async def _until_settled(self) -> PageObservation:
        looks = 0
        while True:
            started = self._watch.started
            look = await glance(self._tab, self._task, thorough=looks >= _CHEAP)
            looks += 1
            if look is not None:
                self._last = look
                observation = self._observation(look)
                if self._task.settled(observation) and self._at_rest(look, started):
                    return observation
            await self._tab.pause(_INTERVAL)

    def _at_rest(self, look: Glance, started: int) -> bool:
        """Whether the page loaded and asks for nothing more; what it polls for endlessly is waited for a while only."""
        if not look.complete:
            return False
        self._loaded = self._loaded or perf_counter()
        still = self._watch.quiet and self._watch.started == started
        return still or perf_counter() - self._loaded > _PATIENCE

    async def _unsettled(self) -> PageObservation:
        """What came of a page whose time is over, if it is the page that was slow and not the browser."""
        if not await self._browser.answers():
            self._browser.kill()
            raise BrowserGoneError("the browser does not respond")
        await self._keep()
        if self._last is not None:
            missing = () if self._last.complete else self._watch.pending
            return self._observation(self._last, missing, evidence=True)
        raise ProbeError("timeout", self._timeout_message())

    def _timeout_message(self) -> str:
        waiting = self._watch.pending
        detail = f"; still waiting for {waiting[0].method} {waiting[0].url}" if waiting else ""
        state = "did not respond to the browser" if self._watch.status else "did not answer"
        return f"{self._task.url} {state} within {self._task.timeout:g} s{detail}"

    def _observation(
        self, look: Glance, missing: tuple[FailedRequest, ...] = (), *, evidence: bool = False
    ) -> PageObservation:
        folder = self._task.evidence
        return PageObservation(
            place=self._task.place,
            duration=perf_counter() - self._start,
            phases=look.phases,
            release=self._watch.release,
            status=self._watch.status,
            title=look.title,
            url=look.url,
            body_text=look.body,
            seen=look.seen,
            texts=look.texts,
            console=tuple(self._watch.console),
            requests=(*self._watch.requests, *missing),
            evidence=kept(folder) if evidence and folder is not None else (),
        )

    async def _keep(self) -> None:
        folder = self._task.evidence
        if folder is None:
            return
        write_logs(folder, self._watch.console, (*self._watch.requests, *self._watch.pending))
        if self._watch.status:
            await in_time(self._tab.screenshot(folder / SCREENSHOT), _SCREENSHOT)
        if self._task.trace:
            await in_time(self._tab.keep_trace(folder / TRACE), _TRACE)
