"""When the requests of pages may go: by the budget of the run, and not while the target wants to be left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from postdeploy.errors import ProbeError
from postdeploy.guard.budget import BudgetSpentError, Meter
from postdeploy.guard.courtesy import TOO_MANY_REQUESTS, Courtesy, retry_after

__all__ = ["Pace", "StoppedError", "length"]

_LEAST: Final = 0.005
"""Seconds between two questions: other processes spend the same budget."""


class StoppedError(ProbeError, ValueError):
    """Nothing more may be sent: the budget is spent, or the target has answered 429 twice."""


def _always(_url: str) -> bool:
    return True


class Pace:
    """Asked before each request of a page, from any thread, and told of its end.

    Args:
        meter: of the run; called when it is needed.
        courtesy: of the run; called when it is needed.
        counts: whether a request for this URL is counted by the page, since nobody else sees it.
        ours: whether a URL is one of the target.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        meter: Callable[[], Meter],
        courtesy: Callable[[], Courtesy],
        *,
        counts: Callable[[str], bool] = _always,
        ours: Callable[[str], bool] = _always,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts = counts
        self._meter = meter
        self._courtesy = courtesy
        self._ours = ours
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = 0
        self._since = self._held = 0.0

    @property
    def stopped(self) -> str | None:
        """Why no request may go; None while one may."""
        spent = self._meter().spent
        return self._courtesy().stopped or (None if spent is None else str(BudgetSpentError(spent)))

    def ask(self) -> float:
        """Seconds to wait before the next request; 0 where it may go, which counts it. Raises StoppedError."""
        courtesy = self._courtesy()
        if courtesy.stopped:
            raise StoppedError("rate_limited", courtesy.stopped, target_fault=False)
        pause = courtesy.pause()
        if pause > 0:
            return pause
        try:
            return self._meter().take(self._clock())
        except BudgetSpentError as error:
            raise StoppedError("budget_spent", str(error), target_fault=False) from error

    async def wait(self) -> None:
        """Until the next request may go, which counts it. Raises StoppedError."""
        pause = self.ask()
        if pause > 0:
            import asyncio

            with self._holding():
                while pause > 0:
                    await asyncio.sleep(max(_LEAST, pause))
                    pause = self.ask()

    def wait_by(self, sleep: Callable[[float], object]) -> None:
        """Do the same by a way to sleep for so many seconds."""
        pause = self.ask()
        if pause > 0:
            with self._holding():
                while pause > 0:
                    sleep(max(_LEAST, pause))
                    pause = self.ask()

    def note(self) -> None:
        """Count a request that cannot be held up."""
        self._meter().note(self._clock())

    def ended(self, received: int = 0) -> None:
        """A request that was counted has ended, with so many bytes of an answer."""
        self._meter().give_back(received)

    def now(self) -> float:
        """The moment, by the clock that ``answered`` wants to know when a request was sent."""
        return self._clock()

    def answered(self, url: str, status: int, headers: Mapping[str, str], sent: float) -> None:
        """An answer came to a request that was sent at this moment; names of headers are in lower case."""
        if status == TOO_MANY_REQUESTS and self._ours(url):
            self._courtesy().limited(sent, retry_after(headers.get("retry-after")))

    def held(self) -> float:
        """Seconds in which any request had to wait, so far."""
        with self._lock:
            return self._held + (self._clock() - self._since if self._waiting else 0.0)

    @contextmanager
    def _holding(self) -> Iterator[None]:
        with self._lock:
            if not self._waiting:
                self._since = self._clock()
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                if not self._waiting:
                    self._held += self._clock() - self._since


def length(headers: Mapping[str, str]) -> int | None:
    """Bytes of a body, as far as the head of its answer says; names of headers are in lower case."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() else None
