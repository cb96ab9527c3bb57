"""The results of the declared checks, for whoever waits for them; from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from postdeploy.domain.check import Check
from postdeploy.domain.result import CheckResult, Outcome

__all__ = ["Results"]


class Results:
    """One future for each check; once it was ended, nobody waits for anything again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: dict[str, Future[CheckResult]] = {}
        self._end: tuple[Outcome, str] | None = None

    def open(
        self, checks: Iterable[Check], told: Callable[[Future[CheckResult]], object] | None = None
    ) -> list[tuple[Check, Future[CheckResult]]]:
        """A future for each check; after the end they have their results already, and the list is empty."""
        pairs = [(check, Future[CheckResult]()) for check in checks]
        for _, future in pairs if told else ():
            future.add_done_callback(told)  # type: ignore[arg-type]  # there is one
        with self._lock:
            self._futures.update({check.id: future for check, future in pairs})
            ended = self._end is not None
        if ended:
            self._settle()
        return [] if ended else pairs

    def of(self, check_id: str) -> Future[CheckResult]:
        """The future of a check. Raises KeyError."""
        return self._futures[check_id]

    def unfinished(self) -> int:
        """How many have no result yet."""
        with self._lock:
            futures = list(self._futures.values())
        return sum(1 for future in futures if not future.done())

    def end(self, outcome: Outcome, reason: str) -> None:
        """Everything without a result gets this one, now and later; only the first end counts."""
        with self._lock:
            self._end = self._end or (outcome, reason)
        self._settle()

    def _settle(self) -> None:
        with self._lock:
            outcome, reason = self._end or (Outcome.NOT_RUN, "")
            futures = list(self._futures.items())
        for check_id, future in futures:
            if not future.done():
                with suppress(InvalidStateError):  # the loop's thread was faster
                    future.set_result(CheckResult(check_id, outcome, reason=reason))
