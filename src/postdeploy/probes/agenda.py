"""What a loop has to do: now, and later."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["SLICE", "Agenda", "Callback"]

Callback = Callable[[], None]

SLICE: Final = 0.002
"""Seconds for which a loop may leave its sockets alone: what has come by then is late by no more."""


class Agenda:
    """Callbacks in the order in which they are due."""

    def __init__(self) -> None:
        self._soon: deque[Callback] = deque()
        self._later: list[tuple[float, int, Callback]] = []
        self._order = itertools.count()

    def soon(self, callback: Callback) -> None:
        """In the next turn; from any thread."""
        self._soon.append(callback)

    def at(self, moment: float, callback: Callback) -> None:
        """When the clock shows this moment."""
        heapq.heappush(self._later, (moment, next(self._order), callback))

    def run(self, clock: Callable[[], float], slice_: float = SLICE) -> None:
        """Call what is due, as long as a slice of time lasts; what that adds for now waits for the next turn."""
        begun = now = clock()
        waiting = len(self._soon)
        while self._later and self._later[0][0] <= begun:
            heapq.heappop(self._later)[2]()
        for _ in range(waiting):
            if now - begun >= slice_:
                return
            self._soon.popleft()()
            now = clock()

    def due(self) -> float | None:
        """The next moment: the beginning of time if something waits already, None if nothing does."""
        if self._soon:
            return 0.0
        return self._later[0][0] if self._later else None
