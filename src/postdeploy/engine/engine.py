"""The engine as the rest of the program sees it: begin, ask for results, look again, close; from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from postdeploy.domain.check import Check
from postdeploy.domain.evidence import ReleaseEvidence, ServiceState
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import Service, Target
from postdeploy.engine.dispatch import Dispatcher, Pages
from postdeploy.engine.preflight import Preflight
from postdeploy.engine.release import ReleaseWatch, Waiting
from postdeploy.engine.runner import CheckRunner
from postdeploy.probes.http_loop import HttpLoop

__all__ = ["Engine", "Readiness", "RunContext"]


@dataclass(frozen=True, slots=True)
class RunContext:
    """What belongs to one run rather than to its target.

    Args:
        run_id: unique.
        expected: the release that the pipeline deployed, if it said so.
        deadline: monotonic seconds at which everything stops.
        reports: folder for what pages leave behind.
    """

    run_id: str
    expected: str | None = None
    deadline: float | None = None
    reports: Path | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What preflight and the wait for the release came to."""

    release: ReleaseEvidence
    services: tuple[ServiceState, ...]

    @property
    def may_start(self) -> bool:
        """Whether there is anything to verify: the release is live, or nobody asked, and some service answers."""
        return self.release.live is not False and any(state.live for state in self.services)


class Engine:
    """One per run and process.

    Args:
        target: what is verified.
        context: this run.
        pages: the browser for declared pages.
        redactor: told of secrets that are learnt.
        on_service: told, on the engine's thread, of a service that turned out to be down while checks ran.
        clock: seconds, monotonic.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        target: Target,
        context: RunContext,
        *,
        pages: Any = None,
        redactor: Redactor | None = None,
        on_service: Callable[[ServiceState], None] = lambda _state: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.target = target
        self.context = context
        self.services: dict[str, ServiceState] = {}
        self.ready: Future[Readiness] = Future()
        self.overdue = threading.Event()
        self._results: dict[str, Future[CheckResult]] = {}
        self._unstarted: list[tuple[Check, Future[CheckResult]]] = []
        self._loop = HttpLoop(target.budget.in_flight, clock=clock, on_crash=self._crashed)
        self._preflight = Preflight(self._loop, context.run_id, target.policy.confirm)
        self._dispatcher = Dispatcher(target, self._loop, context.run_id, pages or Pages(), context.reports)
        self._watch: ReleaseWatch | None = None
        self._release = ReleaseEvidence(context.expected)
        self._closed = False
        self._runner = CheckRunner(
            self._dispatcher,
            self._preflight,
            self.services,
            target.policy.confirm,
            variables=self._variables(),
            redactor=redactor or Redactor(),
            on_service=on_service,
            wall=wall,
        )

    def begin(self, *, wait: bool = True) -> None:
        """Start preflight and (unless ``wait`` is false) the wait for the release; ``ready`` tells how it went."""
        self._loop.start()
        self._loop.call_soon(lambda: self._begin(wait))

    def submit(self, checks: Iterable[Check]) -> None:
        """Run checks as soon as the target is ready; ``result`` has their futures."""
        pairs = [(check, Future[CheckResult]()) for check in checks]
        self._results.update({check.id: future for check, future in pairs})
        self._loop.call_soon(lambda: self._take(pairs))

    def result(self, check_id: str) -> Future[CheckResult]:
        """The future of a submitted check. Raises KeyError."""
        return self._results[check_id]

    def unfinished(self) -> int:
        """How many submitted checks have no result yet."""
        return sum(1 for future in self._results.values() if not future.done())

    def waiting(self) -> Waiting | None:
        """How far the wait for the release is; None when nobody waits."""
        return self._watch.waiting() if self._watch is not None and not self.ready.done() else None

    def look_again(self, patience: float = 6.0) -> ReleaseEvidence:
        """The evidence with what each source says now."""
        seen: Future[ReleaseEvidence] = Future()
        watch = self._watch
        if watch is None or self._release.live is False or not self._release.first:
            return self._release
        self._loop.call_soon(lambda: watch.look_again(lambda last: seen.set_result(replace(self._release, last=last))))
        try:
            return seen.result(patience)
        except TimeoutError:
            return replace(self._release, last=dict.fromkeys(self._release.first, "?"))

    def used(self) -> dict[str, int]:
        """The traffic of this process: requests and the most that were in flight."""
        return {"requests": self._loop.started, "peak_in_flight": self._loop.peak}

    def close(self) -> None:
        """End the threads; checks that have no result become ``not_run``."""
        if not self._closed:
            self._closed = True
            self._loop.stop()
            self._dispatcher.close()
            self._abandon("the run ended before this check did")

    def _variables(self) -> dict[str, object]:
        secrets = {f"secrets.{name}": secret.reveal() for name, secret in self.target.secrets.items()}
        return {
            **secrets,
            "target": self.target.name,
            "release": self.context.expected or "",
            "run.id": self.context.run_id,
        }

    # What follows runs on the loop's thread.

    def _begin(self, wait: bool) -> None:
        if self.context.deadline is not None:
            self._loop.call_later(self.context.deadline - self._loop.clock(), self._expire)
        if wait and self.target.release is not None:
            self._watch = ReleaseWatch(
                self.target, self.target.release, self._loop,
                run_id=self.context.run_id, expected=self.context.expected,
            )  # fmt: skip
            self._watch.start(self._released)
        else:
            self._released(self._release, [])

    def _released(self, release: ReleaseEvidence, states: list[ServiceState]) -> None:
        self._release = release
        self.services.update({state.name: state for state in states if state.live or release.live is False})
        missing = [service for name, service in self.target.services.items() if name not in self.services]
        if release.live is False or not missing:
            self._open()
            return
        for service in missing:
            self._examine(service)

    def _examine(self, service: Service) -> None:
        def examined(state: ServiceState) -> None:
            self.services[state.name] = state
            if len(self.services) == len(self.target.services):
                self._open()

        self._preflight.examine(service, examined)

    def _open(self) -> None:
        if self.ready.done():
            return
        readiness = Readiness(self._release, tuple(self.services.values()))
        self._release = replace(self._release, first=dict(self._release.first))
        pairs, self._unstarted = self._unstarted, []
        self.ready.set_result(readiness)
        self._start(pairs)

    def _take(self, pairs: list[tuple[Check, Future[CheckResult]]]) -> None:
        if self.ready.done():
            self._start(pairs)
        else:
            self._unstarted.extend(pairs)

    def _start(self, pairs: list[tuple[Check, Future[CheckResult]]]) -> None:
        if self._release.live is False and not any(state.answered_wrongly for state in self.services.values()):
            for check, future in pairs:
                if not future.done():
                    future.set_result(CheckResult(check.id, Outcome.NOT_RUN, reason=self._release.problem))
            return
        self._runner.start(pairs)

    def _expire(self) -> None:
        self.overdue.set()
        if not self.ready.done():
            self.ready.set_result(Readiness(replace(self._release, problem="the deadline came first"), ()))
        reason = "the deadline of the run was reached"
        self._runner.end(Outcome.NOT_RUN, reason)
        self._abandon(reason)

    def _abandon(self, reason: str) -> None:
        for check_id, future in self._results.items():
            if not future.done():
                future.set_result(CheckResult(check_id, Outcome.NOT_RUN, reason=reason))

    def _crashed(self, error: BaseException) -> None:
        reason = f"the engine broke: {type(error).__name__}: {error}"
        if not self.ready.done():
            self.ready.set_exception(RuntimeError(reason))
        for check_id, future in self._results.items():
            if not future.done():
                future.set_result(CheckResult(check_id, Outcome.ERRORED, reason=reason))
