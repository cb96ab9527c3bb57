"""The end of a run that came before its checks were done: what they have made on the target is still cleaned up.

Reads are cut off at once. A write that is under way has half of the grace to say what it has made, since its cleanup
cannot name that otherwise. Cleanup steps are sent as soon as they can be; at the end of the grace everything stops.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

from postdeploy.domain.target import SAFE_METHODS
from postdeploy.engine.attempt import Answer
from postdeploy.engine.life import Life
from postdeploy.errors import PostdeployError
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import HttpRequest

__all__ = ["GRACE", "Ending"]

GRACE: Final = 2.0
"""Seconds after the end within which cleanups are sent."""


class Ending:
    """Lets checks clean up; ``clean`` is set while none has to.

    Args:
        loop: where the requests are under way.
        answer: gives a check an answer in place of the one that it waits for.
        grace: seconds.
    """

    def __init__(self, loop: HttpLoop, answer: Callable[[Life, Answer], None], grace: float = GRACE) -> None:
        self.clean = threading.Event()
        self.clean.set()
        self._loop = loop
        self._answer = answer
        self._grace = grace
        self._open: set[Life] = set()

    def begin(self, lives: Iterable[Life]) -> None:
        """End these checks; on the loop's thread. One that ends nothing more leaves cleanups under way alone."""
        fresh = [life for life in lives if not life.ended]
        if self._open and not fresh:
            return
        for life in fresh:
            life.ended = True
            if life.generator is not None and life.check.cleanup:
                self._open.add(life)
            else:
                life.leave()
        if self._open:
            self.clean.clear()
            self._loop.call_later(self._grace, self._stop)
        asked = {life: life.asked for life in self._open}
        patient = {life: number for life, number in asked.items() if _writes(life)}
        writes = self._loop.drop(lambda request: request.method in SAFE_METHODS or not patient)
        self._cut({life: number for life, number in asked.items() if life not in patient})
        self._loop.call_later(self._grace / 2, lambda: self._lose_patience(patient, writes))

    def left(self, life: Life) -> None:
        """A check is done with its cleanup."""
        self._open.discard(life)
        if not self._open:
            self.clean.set()

    def _lose_patience(self, patient: dict[Life, int], writes: list[HttpRequest]) -> None:
        self._loop.drop(lambda request: any(request is write for write in writes), waiting=False)
        self._cut(patient)

    def _cut(self, asked: dict[Life, int]) -> None:
        """Answer what has no answer yet, such as a probe in a thread that cannot be broken off."""
        for life, number in asked.items():
            if life.asking is not None and life.asked == number:
                self._answer(life, PostdeployError("the run ended before an answer came"))

    def _stop(self) -> None:
        for life in list(self._open):
            life.leave()
            self.left(life)


def _writes(life: Life) -> bool:
    return life.asking is not None and life.asking.probe.writes
