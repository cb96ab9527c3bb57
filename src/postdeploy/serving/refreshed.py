"""An answer that costs something: made by one asker at a time, and given to all others for some seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from postdeploy.lazy_dataclass import dataclass

__all__ = ["BusyError", "Refreshed"]

T = TypeVar("T")


class BusyError(Exception):
    """The first answer is being made, and there is no older one."""


@dataclass(frozen=True, slots=True)
class _Made(Generic[T]):
    at: float
    value: T | None
    problem: Exception | None = None


class Refreshed(Generic[T]):
    """Whoever asks never waits for another asker: the older answer, or BusyError, comes at once.

    Args:
        make: gives the answer, or raises; what it raised is raised for as long as an answer is given.
        seconds: how long.
        clock: seconds, monotonic.
    """

    def __init__(self, make: Callable[[], T], seconds: float, clock: Callable[[], float]) -> None:
        self._make = make
        self._seconds = seconds
        self._clock = clock
        self._making = threading.Lock()
        self._made: _Made[T] | None = None

    def get(self) -> T:
        """The answer. Raises BusyError, and what making it raises."""
        made = self._made
        if made is None or self._clock() - made.at >= self._seconds:
            made = self._made_anew() or made
        if made is None:
            raise BusyError
        if made.problem is not None:
            raise made.problem
        return made.value  # type: ignore[return-value]  # there is a value where there is no problem

    def _made_anew(self) -> _Made[T] | None:
        """None if another thread is at it."""
        if not self._making.acquire(blocking=False):
            return None
        try:
            try:
                made = _Made(self._clock(), self._make())
            except Exception as error:  # noqa: BLE001  # it is raised to each asker
                made = _Made[T](self._clock(), None, error)
            self._made = made
            return made
        finally:
            self._making.release()
