"""The life of every declared check: permitted, not blocked, attempted, confirmed; all of them at once."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Final

from postdeploy.domain.check import Check, HttpProbe, PageProbe, Step
from postdeploy.domain.creation import Creation, recipe
from postdeploy.domain.evidence import ServiceState
from postdeploy.domain.foreign import plain
from postdeploy.domain.health import OWN_FAULTS
from postdeploy.domain.policy import Confirmation
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.target import Target
from postdeploy.engine.attempt import Answer, Ask, Surroundings, attempt_check
from postdeploy.engine.dispatch import Dispatcher, Errand
from postdeploy.engine.ending import Ending
from postdeploy.engine.entry import Note
from postdeploy.engine.fetching import Fetcher
from postdeploy.engine.life import Life
from postdeploy.engine.places import evidence_folder
from postdeploy.engine.preflight import Preflight
from postdeploy.errors import PostdeployError
from postdeploy.guard.address import locate

__all__ = ["CheckRunner", "skip_reason"]

_FEW: Final = 4
"""Checks that are begun at once."""


def skip_reason(check: Check, target: Target) -> str | None:
    """Why the policy of a target leaves out a check, or None if it does not; one that may not clean up does not run."""
    if not check.when.applies(target.name):
        return f"not for target '{target.name}'"
    if elsewhere := target.passed_over(check.vantages):
        return elsewhere
    for step in (*check.steps, *check.cleanup):
        probe = step.probe
        location = getattr(probe, "location", None)
        denial = target.access.denial(location) if location else None
        if denial is not None:
            return f"target '{target.name}' denies {denial}"
        if isinstance(probe, HttpProbe) and not target.access.permits(
            probe.method, probe.location, body=probe.has_body
        ):
            return f"target '{target.name}' {_state(target)} {probe.method} {probe.location}"
    return None


def _state(target: Target) -> str:
    if target.access.sealed:
        return f"is protected and needs --allow-writes={target.name} for"
    return "is read-only and does not allow"


class CheckRunner:
    """Runs checks on the loop's thread; every check's future gets its result, whatever happens.

    Args:
        dispatcher: sends the probes.
        preflight: asks a service again when a check could not reach it.
        services: what is known of the services; shared, and updated here.
        confirm: when a failure counts.
        variables: what every check may name as ``${…}``.
        redactor: told of secrets that are learnt.
        on_service: told of a service that turned out to be down.
        on_trouble: told of connections that failed, by a code and a URL.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        preflight: Preflight,
        services: dict[str, ServiceState],
        confirm: Confirmation,
        *,
        variables: Mapping[str, object],
        redactor: Redactor,
        on_service: Callable[[ServiceState], None],
        on_trouble: Callable[[str, str], None],
        wall: Callable[[], float],
    ) -> None:
        self._dispatcher = dispatcher
        self._target = dispatcher.target
        self._loop = dispatcher.loop
        self._preflight = preflight
        self._services = services
        self._confirm = confirm
        self._variables = variables
        self._on_service = on_service
        self._on_trouble = on_trouble
        self._wall = wall
        self._surroundings = partial(
            Surroundings, wall, self._loop.clock, self._locate, self._curl, redactor.learn,
            maintenance=self._target.maintenance, creation=self._creation if dispatcher.ledger is not None else None,
        )  # fmt: skip
        self._open: dict[str, Life] = {}
        self._unbegun: deque[tuple[Check, Future[CheckResult]]] = deque()
        self._over = False
        self.ending = Ending(self._loop, self._hear)

    def start(self, checks: Iterable[tuple[Check, Future[CheckResult]]]) -> None:
        """Begin every check, those by HTTP as there is room for their requests; on the loop's thread."""
        for check, future in checks:
            if isinstance(check.steps[0].probe, HttpProbe):
                self._unbegun.append((check, future))
            else:
                self._live(check, future)
        self._begin_some()

    def _begin_some(self) -> None:
        """A few at a time, so that no answer has to wait until all are begun."""
        for _ in range(min(_FEW, len(self._unbegun))):
            self._live(*self._unbegun.popleft())
        if self._unbegun:
            self._loop.call_when_hungry(self._begin_some)

    def _live(self, check: Check, future: Future[CheckResult]) -> None:
        if future.done():
            return
        life = Life(check, future)
        self._open[check.id] = life
        future.add_done_callback(partial(self._forget, check.id))
        self._guarded(life, self._begin)

    def _forget(self, check_id: str, _future: Future[CheckResult]) -> None:
        self._open.pop(check_id, None)

    def end(self, outcome: Outcome, reason: str) -> None:
        """Give every check that is still on its way this outcome, and let it clean up, once; on the loop's thread."""
        if self._over:
            return
        self._over = True
        unbegun = [Life(check, future) for check, future in self._unbegun]
        self._unbegun.clear()
        lives = [*self._open.values(), *unbegun]
        for life in lives:
            life.finish(outcome, reason=reason)
        self.ending.begin(lives)

    @property
    def fetcher(self) -> Fetcher:
        """Sends HTTP on behalf of a check."""
        return self._dispatcher.fetcher

    def close(self) -> None:
        """Let go of threads."""
        self._dispatcher.close()

    def _guarded(self, life: Life, step: Callable[[Life], None]) -> None:
        """A fault of ours in one check must not end the others."""
        try:
            step(life)
        except Exception as error:  # noqa: BLE001  # see above
            life.leave()
            self._conclude(life, self._broken(error))

    def _begin(self, life: Life) -> None:
        reason = skip_reason(life.check, self._target)
        if reason:
            life.finish(Outcome.SKIPPED, reason=reason, by_policy=True)
        elif blocker := self._blocker(life.check):
            self._block(life, blocker)
        else:
            self._attempt(life)

    def _blocker(self, check: Check) -> ServiceState | None:
        for name in check.services:
            state = self._services.get(name)
            if state is not None and not state.live:
                return state
        return None

    def _block(self, life: Life, state: ServiceState) -> None:
        life.finish(Outcome.BLOCKED, reason=state.message, blocked_by=state.name)

    def _attempt(self, life: Life) -> None:
        own = {"unique": uuid.uuid4().hex} if life.check.templated else {}
        around = self._surroundings(ended=lambda: life.ended)
        life.generator = attempt_check(life.check, {**self._variables, **own}, around)
        self._advance(life, None)

    def _creation(self, check: Check) -> Creation:
        undo = tuple(recipe(step) for step in check.cleanup if isinstance(step.probe, HttpProbe))
        return Creation(uuid.uuid4().hex, self._target.name, self._dispatcher.run_id, check.id, undo)

    def _hear(self, life: Life, answer: Answer) -> None:
        life.asking = None
        self._guarded(life, lambda each: self._advance(each, answer))

    def _advance(self, life: Life, answer: Answer | None) -> None:
        if life.generator is None:
            return
        try:
            ask = life.generator.send(answer)
        except StopIteration as stop:
            life.leave()
            self._conclude(life, stop.value)
            return
        if isinstance(ask, Note):
            self._dispatcher.note(ask.record, partial(self._noted, life))
            return
        life.asking = ask.step
        life.asked += 1
        number = life.asked
        try:
            self._dispatcher.send(self._errand(life, ask), lambda reply: self._reply(life, number, reply))
        except Exception as error:  # noqa: BLE001  # the attempt goes on, so that its cleanup is not lost
            problem = PostdeployError(f"{type(error).__name__}: {error}")
            self._loop.call_soon(lambda: self._reply(life, number, problem))

    def _noted(self, life: Life, problem: PostdeployError | None) -> None:
        self._guarded(life, lambda each: self._advance(each, problem))

    def _reply(self, life: Life, number: int, reply: Answer) -> None:
        """An answer to a question that was given up in the meantime changes nothing."""
        if life.asking is not None and life.asked == number:
            self._hear(life, reply)

    def _errand(self, life: Life, ask: Ask) -> Errand:
        number = len(life.attempts) + 1
        if not isinstance(ask.step.probe, PageProbe) or self._dispatcher.reports is None:
            return Errand(life.check.id, ask, number)
        last_chance = number >= self._confirm.attempts or not life.check.may_repeat
        folder = evidence_folder(self._dispatcher.reports, life.check.id, number)
        return Errand(life.check.id, ask, number, trace=last_chance, evidence=folder)

    def _conclude(self, life: Life, attempt: Attempt) -> None:
        if life.ended:
            self.ending.left(life)
            return
        life.attempts.append(attempt)
        self._tell_trouble(life.check, attempt)
        if attempt.outcome is Outcome.PASSED:
            life.finish(Outcome.PASSED)
        elif not life.check.may_repeat or len(life.attempts) >= self._confirm.attempts:
            _settle(life)
        else:
            self._loop.call_later(self._confirm.spacing, lambda: self._guarded(life, self._again))

    def _tell_trouble(self, check: Check, attempt: Attempt) -> None:
        if attempt.fault is not None and not attempt.fault.code.startswith("http_"):
            self._on_trouble(attempt.fault.code, attempt.fault.url)
        elif attempt.code in OWN_FAULTS:
            self._on_trouble(attempt.code, self._locate(check.steps[0]))

    def _again(self, life: Life) -> None:
        """Before a check is repeated that could not reach its service, the service is asked: one cause, not thirty."""
        if life.future.done():
            return
        fault = life.attempts[-1].fault
        location = locate(self._target, fault.url) if fault else None
        if fault is None or location is None or fault.code.startswith("http_"):
            self._attempt(life)
            return
        service = self._target.services[location.service]
        self._preflight.examine(service, lambda state: self._guarded(life, lambda each: self._examined(each, state)))

    def _examined(self, life: Life, state: ServiceState) -> None:
        if life.future.done():
            return
        if state.live:
            self._attempt(life)
            return
        known = self._services.get(state.name)
        if known is None or known.live:
            self._services[state.name] = state
            self._on_service(state)
        self._block(life, state)

    def _broken(self, error: Exception) -> Attempt:
        message = plain(f"{type(error).__name__}: {error}")
        return Attempt(Outcome.ERRORED, self._wall(), 0.0, error=message)

    def _locate(self, step: Step) -> str:
        probe = step.probe
        location = getattr(probe, "location", None)
        return self._target.url(location) if location else self._target.services[probe.service].url

    def _curl(self, step: Step) -> str:
        from postdeploy.engine.curl import reproduce

        return reproduce(step.probe, self._target, step.timeout)


def _settle(life: Life) -> None:
    failed = any(attempt.outcome is Outcome.FAILED for attempt in life.attempts)
    errored = any(attempt.outcome is Outcome.ERRORED for attempt in life.attempts)
    outcome = Outcome.ERRORED if errored or not failed else Outcome.FAILED
    life.finish(outcome, reason=life.attempts[-1].error)
