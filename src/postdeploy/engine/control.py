"""When control probes are asked: before the run, and again when something goes wrong; never in the way of a check."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from postdeploy.domain.control import ControlResult, Moment
from postdeploy.domain.target import Target
from postdeploy.errors import JournalError
from postdeploy.guard.identity import identity_headers

if TYPE_CHECKING:
    from postdeploy.probes.control import Question

__all__ = ["ControlWatch"]

_SPACING: Final = 5.0
"""Seconds before trouble is asked about again."""

_MOST: Final = 12
"""Rounds after which trouble is no longer asked about."""

Observe = Callable[["Question"], Iterator[ControlResult]]


class ControlWatch:
    """Asks on threads of its own; every method may be called from any thread.

    Args:
        told: called with each result, on the thread that asked.
        clock: seconds, monotonic.
        wall: seconds since the epoch.
        observe: asks one round of control probes; by default, those that there are.
    """

    def __init__(
        self,
        target: Target,
        run_id: str,
        told: Callable[[ControlResult], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        observe: Observe | None = None,
    ) -> None:
        self._target = target
        self._headers = identity_headers(run_id, "control")
        self._told = told
        self._clock = clock
        self._wall = wall
        self._observe = observe
        self._lock = threading.Lock()
        self._troubled: list[threading.Thread] = []
        self._rounds = 0
        self._asked: float | None = None

    def begin(self) -> None:
        """Ask before the run; credentials say by themselves when they end."""
        if self._target.secrets:
            self._tell_expiries()
        if self._has_anything_to_ask():
            self._start(self._question(Moment.START))

    def _tell_expiries(self) -> None:
        from postdeploy.domain.expiry import expiring

        for result in expiring(self._target, self._wall()):
            self._told(result)

    def trouble(self, code: str, url: str) -> None:
        """A connection to the target has failed: is it us?"""
        if not self._has_anything_to_ask():
            return
        with self._lock:
            now = self._clock()
            recently = self._asked is not None and now - self._asked < _SPACING
            if recently or self._rounds >= _MOST:
                return
            self._asked, self._rounds = now, self._rounds + 1
        self._start(self._question(Moment.FAILURE, code, url))

    def settle(self) -> None:
        """Wait for what was asked because of trouble, a few time-outs at the worst; no healthy run waits."""
        patience = 4 * self._target.control.timeout
        for thread in list(self._troubled):
            thread.join(patience)

    def _has_anything_to_ask(self) -> bool:
        from postdeploy.probes.control import has_anything_to_ask

        return has_anything_to_ask(self._target.control, self._target.services)

    def _question(self, moment: Moment, code: str = "", url: str = "") -> Question:
        from postdeploy.probes.control import Question

        return Question(self._target.control, self._target.services, moment, code, url, self._headers)

    def _start(self, question: Question) -> None:
        thread = threading.Thread(target=self._ask, args=(question,), name="postdeploy-control", daemon=True)
        with suppress(RuntimeError):  # this machine has no thread left, which the checks will say as well
            thread.start()
            if question.moment is Moment.FAILURE:
                self._troubled.append(thread)

    def _ask(self, question: Question) -> None:
        from postdeploy.probes.control import observe_control

        observe = self._observe or observe_control
        with suppress(JournalError):  # told where the run is sealed
            for result in observe(question):
                self._told(result)
