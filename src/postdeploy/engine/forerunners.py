"""Checks that only read begin while their services are asked whether they are there: one wait instead of two."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from postdeploy.domain.check import Check, HttpProbe
from postdeploy.domain.evidence import ServiceState
from postdeploy.domain.result import CheckResult, Outcome

__all__ = ["Forerunners"]

_Pair = tuple[Check, Future[CheckResult]]


class Forerunners:
    """The checks that nobody has begun for good; on the loop's thread.

    A result that came early counts only if every service of the check answered the first time that it was asked: one
    that is down blocks its checks as if they had not begun, and one that was just coming up finds them begun again.

    Args:
        start: begins checks.
    """

    def __init__(self, start: Callable[[Iterable[_Pair]], None]) -> None:
        self._begin = start
        self._waiting: list[_Pair] = []
        self._early: list[tuple[_Pair, Future[CheckResult]]] = []
        self._asked: frozenset[str] | None = None

    def add(self, pairs: Iterable[_Pair]) -> None:
        """Checks that wait for their services."""
        self._waiting.extend(pairs)
        self._run_ahead()

    def while_asked(self, services: Collection[str]) -> None:
        """These services are being asked, and of no other is anything to be waited for."""
        self._asked = frozenset(services)
        self._run_ahead()

    def settled(self, services: Mapping[str, ServiceState]) -> list[_Pair]:
        """What is still to begin, now that the services are known; what came early and counts gets its result."""
        late = self._asked or frozenset()
        late = frozenset(name for name in late if not services[name].live or services[name].attempts > 1)
        pairs, early = self._waiting, self._early
        self._waiting, self._early, self._asked = [], [], None
        for pair, own in early:
            if late.intersection(pair[0].services):
                _give_up(own)
                pairs.append(pair)
            else:
                own.add_done_callback(_handing_to(pair[1]))
        return pairs

    def _run_ahead(self) -> None:
        if self._asked is None or not self._waiting:
            return
        pairs = [pair for pair in self._waiting if _only_reads(pair[0])]
        self._waiting = [pair for pair in self._waiting if not _only_reads(pair[0])]
        early: list[tuple[_Pair, Future[CheckResult]]] = [(pair, Future()) for pair in pairs]
        self._early += early
        self._begin((pair[0], own) for pair, own in early)


def _only_reads(check: Check) -> bool:
    return all(isinstance(step.probe, HttpProbe) and not step.probe.writes for step in (*check.steps, *check.cleanup))


def _give_up(own: Future[CheckResult]) -> None:
    """Whatever still goes on ends without a result."""
    if not own.done():
        own.set_result(CheckResult("", Outcome.NOT_RUN))


def _handing_to(future: Future[CheckResult]) -> Callable[[Future[CheckResult]], None]:
    def hand(own: Future[CheckResult]) -> None:
        with suppress(InvalidStateError):  # the run has ended
            future.set_result(own.result())

    return hand
