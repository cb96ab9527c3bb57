"""The engine as the rest of the program sees it: begin, ask for results, look again, close; from any thread."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from postdeploy.created import CreationLedger
from postdeploy.domain.check import Check
from postdeploy.domain.control import ControlResult
from postdeploy.domain.evidence import ReleaseEvidence, ServiceState
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import Target
from postdeploy.engine.context import Readiness, RunContext
from postdeploy.engine.forerunners import Forerunners
from postdeploy.engine.preflight import Preflight
from postdeploy.engine.results import Results
from postdeploy.lazy_dataclass import replace
from postdeploy.probes.http_loop import HttpLoop

if TYPE_CHECKING:
    from postdeploy.engine.release import ReleaseWatch, Waiting
    from postdeploy.engine.runner import CheckRunner
    from postdeploy.guard.budget import Meter
    from postdeploy.guard.fence import BrowserFence

__all__ = ["Engine", "Readiness", "RunContext"]

_OVERDUE: Final = "the deadline of the run was reached"
_HURRY: Final = 1.0
_jitter: Final = random.uniform


class Engine:
    """One per run and process.

    Args:
        target: what is verified.
        context: this run.
        pages: the browser for declared pages.
        fence: what that browser may send.
        ledger: where it is noted what checks create.
        meter: what counts the traffic of the run, if others count there, too.
        redactor: told of secrets that are learnt.
        on_service: told, on the engine's thread, of a service that turned out to be down while checks ran.
        on_trouble: told, on the engine's thread, of connections that failed, by a code and a URL.
        on_control: told, on the engine's thread, whether the credentials of the checks are accepted.
        clock: seconds, monotonic.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        target: Target,
        context: RunContext,
        *,
        pages: Any = None,
        fence: BrowserFence | None = None,
        ledger: CreationLedger | None = None,
        meter: Meter | None = None,
        redactor: Redactor | None = None,
        on_service: Callable[[ServiceState], None] = lambda _state: None,
        on_trouble: Callable[[str, str], None] = lambda _code, _url: None,
        on_control: Callable[[ControlResult], None] = lambda _result: None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.target = target
        self.context = context
        self.services: dict[str, ServiceState] = {}
        self.ready: Future[Readiness] = Future()
        self.overdue = threading.Event()
        self._on_trouble = on_trouble
        self._on_control = on_control
        self._wall = wall
        self.credentials = threading.Event()
        self._results = Results()
        self._waiting = Forerunners(lambda pairs: self._runner.start(pairs))  # noqa: PLW0108  # made when it is needed
        self._loop = HttpLoop(target.budget, meter=meter, clock=clock, on_crash=self._crashed)
        about = (context.run_id, target.policy.confirm, on_trouble, target.maintenance)
        self._preflight = Preflight(self._loop, *about, wall)
        self._pages, self._fence, self._ledger = pages, fence, ledger
        self._redactor = redactor or Redactor()
        self._on_service = on_service
        self._watch: ReleaseWatch | None = None
        self._release = ReleaseEvidence(context.expected)
        self._closing = threading.Lock()
        self._begun = self._closed = self._controls = False
        self._broken: str | None = None
        self._furnishing = threading.Lock()
        self._furnished: CheckRunner | None = None

    def begin(self, *, wait: bool = True) -> None:
        """Start preflight and (unless ``wait`` is false) the wait for the release; ``ready`` tells how it went."""
        self._begun = True
        self._loop.start()
        rate = self.target.budget.per_second
        delay = _jitter(0.0, min(_HURRY, 1.0 / rate)) if rate else 0.0  # schedules start at the same second everywhere
        self._loop.call_soon(lambda: self._loop.call_later(delay, lambda: self._begin(wait)))
        _ = self._runner  # while the services are being waited for

    def submit(self, checks: Iterable[Check], told: Callable[[Future[CheckResult]], object] | None = None) -> None:
        """Run checks as soon as the target is ready; ``result`` has their futures, and ``told`` gets each when done."""
        pairs = self._results.open(checks, told)
        self._loop.call_soon(lambda: self._take(pairs))
        self._loop.let_send()
        from postdeploy.engine import failing  # noqa: F401 - while answers are waited for; see there

    def result(self, check_id: str) -> Future[CheckResult]:
        """The future of a submitted check. Raises KeyError."""
        return self._results.of(check_id)

    def unfinished(self) -> int:
        """How many submitted checks have no result yet."""
        return self._results.unfinished()

    def waiting(self) -> Waiting | None:
        """How far the wait for the release is; None when nobody waits."""
        return self._watch.waiting() if self._watch is not None and not self.ready.done() else None

    def look_again(self, patience: float = 6.0) -> ReleaseEvidence:
        """The evidence with what each source says now: ``?`` for silence, nothing for a service known to be down.

        After the deadline a source has a second.
        """
        watch = self._watch
        if watch is None or self._release.live is False or not self._release.first:
            return self._release
        seen: Future[Mapping[str, str]] = Future()
        self._loop.call_soon(lambda: watch.look_again(seen.set_result))
        try:
            said = seen.result(min(patience, _HURRY) if self.overdue.is_set() or self._broken else patience)
        except TimeoutError:
            said = dict.fromkeys(self._release.first, "?")
        down = {name for name, state in self.services.items() if not state.live}
        last = {name: release for name, release in said.items() if release != "?" or name not in down}
        return replace(self._release, last=last)

    def settle(self) -> None:
        """Wait until the accounts have their answers, a few time-outs at the worst."""
        self.credentials.wait(2 * self.target.control.timeout)

    def used(self) -> dict[str, int | None]:
        """The traffic of the run, as far as its meter knows: see ``Meter.facts``."""
        return self._loop.meter.facts()

    def close(self) -> None:
        """End the threads; checks that have no result become ``not_run``, and clean up within a short grace."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        reason = "the run ended before this check did"
        if self._begun and not self._broken:
            from postdeploy.engine.ending import GRACE

            ended = threading.Event()
            self._loop.call_soon(lambda: self._give_up(reason, ended))
            ended.wait(GRACE)
            self._runner.ending.clean.wait(GRACE)
        self._loop.stop()
        if self._furnished is not None:
            self._furnished.close()
        self._results.end(Outcome.NOT_RUN, reason)
        self._set_ready(Readiness(self._release, ()))

    @property
    def _runner(self) -> CheckRunner:
        """What runs checks; made when it is first needed, on whichever thread that is."""
        with self._furnishing:
            if self._furnished is None:
                self._furnished = self._furnish()
            return self._furnished

    def _furnish(self) -> CheckRunner:
        from postdeploy.engine.dispatch import Dispatcher, Pages
        from postdeploy.engine.runner import CheckRunner
        from postdeploy.engine.variables import variables_of
        from postdeploy.guard.fence import BrowserFence

        target, context = self.target, self.context
        pages, fence = self._pages or Pages(), self._fence or BrowserFence(target, lambda: self._loop.meter)
        facts = (context.run_id, pages, context.reports, context.deadline, fence, self._ledger, self._redactor)
        return CheckRunner(
            Dispatcher(target, self._loop, *facts),
            self._preflight,
            self.services,
            target.policy.confirm,
            variables=variables_of(target, context),
            redactor=self._redactor,
            on_service=self._on_service,
            on_trouble=self._on_trouble,
            wall=self._wall,
        )

    # What follows runs on the loop's thread.

    def _begin(self, wait: bool) -> None:
        self._controls = wait
        if self.context.deadline is not None:
            self._loop.call_later(self.context.deadline - self._loop.clock(), self._expire)
        if wait and self.target.release is not None:
            from postdeploy.engine.release import ReleaseWatch

            self._watch = ReleaseWatch(
                self.target, self.target.release, self._loop,
                run_id=self.context.run_id, expected=self.context.expected, wall=self._wall,
            )  # fmt: skip
            self._watch.start(self._released)
        else:
            self._released(self._release, [])

    def _released(self, release: ReleaseEvidence, states: list[ServiceState]) -> None:
        self._release = release
        for state in states:
            if not state.live and state.code and not state.code.startswith("http_"):
                self._on_trouble(state.code, self.target.services[state.name].url)
        self.services.update({state.name: state for state in states if state.live or release.live is False})
        missing = [service for name, service in self.target.services.items() if name not in self.services]
        wrong = any(state.answered_wrongly for state in self.services.values())
        if not missing or (release.live is False and not wrong):
            self._open()
            return
        for service in missing:
            self._preflight.examine(service, self._examined)
        if release.live is not False and self.target.budget.requests is None:  # what comes early may not count
            self._waiting.while_asked([service.name for service in missing])

    def _examined(self, state: ServiceState) -> None:
        self.services[state.name] = state
        if len(self.services) == len(self.target.services):
            self._open()

    def _open(self) -> None:
        waits = (*(self._watch.waits() if self._watch else ()), *self._preflight.waits())
        if self._set_ready(Readiness(self._release, tuple(self.services.values()), waits)):
            self._check_credentials()
            self._start(self._waiting.settled(self.services))

    def _check_credentials(self) -> None:
        login = self.target.control.login
        state = self.services.get(login.location.service) if login else None
        if login is None or state is None or not state.live or not self._controls:
            self.credentials.set()
            return
        from postdeploy.engine.credentials import CredentialCheck

        CredentialCheck(
            self.target, self._runner.fetcher, self.context.run_id,
            wall=self._wall, told=self._on_control, done=self.credentials.set,
        ).begin(login)  # fmt: skip

    def _take(self, pairs: list[tuple[Check, Future[CheckResult]]]) -> None:
        if self.overdue.is_set():
            self._results.end(Outcome.NOT_RUN, _OVERDUE)
        elif self.ready.done():
            self._start(pairs)
        else:
            self._waiting.add(pairs)

    def _start(self, pairs: list[tuple[Check, Future[CheckResult]]]) -> None:
        """Where the release is not live, only checks whose service is there and wrong have a result: blocked."""
        if self._release.live is False:
            wrong = {state.name for state in self.services.values() if state.answered_wrongly}
            for check, future in pairs:
                if not wrong.intersection(check.services):
                    future.set_result(CheckResult(check.id, Outcome.NOT_RUN, reason=self._release.problem))
        self._runner.start(pair for pair in pairs if not pair[1].done())

    def _expire(self) -> None:
        self.overdue.set()
        self.credentials.set()
        self._set_ready(Readiness(replace(self._release, problem="the deadline came first"), ()))
        self._give_up(_OVERDUE, threading.Event())
        self._results.end(Outcome.NOT_RUN, _OVERDUE)

    def _give_up(self, reason: str, ended: threading.Event) -> None:
        if self._watch is not None:
            self._watch.end()
        self._runner.end(Outcome.NOT_RUN, reason)
        ended.set()

    def _crashed(self, error: BaseException) -> None:
        self._broken = f"the engine broke: {type(error).__name__}: {error}"
        self._results.end(Outcome.ERRORED, self._broken)
        with suppress(InvalidStateError):
            self.ready.set_exception(RuntimeError(self._broken))

    def _set_ready(self, readiness: Readiness) -> bool:
        """Whether it was this call that said so."""
        with suppress(InvalidStateError):
            self.ready.set_result(readiness)
            return True
        return False
