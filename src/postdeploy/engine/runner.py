"""The life of every declared check: permitted, not blocked, attempted, confirmed; all of them at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from postdeploy.domain.check import Check, HttpProbe, PageProbe, Step
from postdeploy.domain.evidence import ServiceState
from postdeploy.domain.policy import Confirmation
from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.target import Target
from postdeploy.engine.attempt import Answer, Ask, attempt_check
from postdeploy.engine.curl import reproduce
from postdeploy.engine.dispatch import Dispatcher, Errand
from postdeploy.engine.places import evidence_folder
from postdeploy.engine.preflight import Preflight

__all__ = ["CheckRunner", "skip_reason"]


def skip_reason(check: Check, target: Target) -> str | None:
    """Why the policy of a target leaves out a check, or None if it does not."""
    if not check.when.applies(target.name):
        return f"not for target '{target.name}'"
    for step in check.steps:
        probe = step.probe
        if isinstance(probe, HttpProbe) and not target.access.permits(probe.method, probe.location):
            return f"target '{target.name}' is read-only and does not allow {probe.method} {probe.location}"
    return None


@dataclass(slots=True)
class _Life:
    """One check on its way."""

    check: Check
    future: Future[CheckResult]
    attempts: list[Attempt] = field(default_factory=list)
    generator: Generator[Ask, Answer, Attempt] | None = None


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
        wall: Callable[[], float],
    ) -> None:
        self._dispatcher = dispatcher
        self._target = dispatcher.target
        self._loop = dispatcher.loop
        self._preflight = preflight
        self._services = services
        self._confirm = confirm
        self._variables = variables
        self._redactor = redactor
        self._on_service = on_service
        self._wall = wall
        self._lives: dict[str, _Life] = {}

    def start(self, checks: Iterable[tuple[Check, Future[CheckResult]]]) -> None:
        """Begin every check; on the loop's thread."""
        for check, future in checks:
            life = _Life(check, future)
            self._lives[check.id] = life
            self._begin(life)

    def end(self, outcome: Outcome, reason: str) -> int:
        """Give every check that is still on its way this outcome; returns how many there were."""
        open_lives = [life for life in self._lives.values() if not life.future.done()]
        for life in open_lives:
            self._finish(life, outcome, reason=reason)
        return len(open_lives)

    def _begin(self, life: _Life) -> None:
        reason = skip_reason(life.check, self._target)
        if reason:
            self._finish(life, Outcome.SKIPPED, reason=reason, by_policy=True)
        elif blocker := self._blocker(life.check):
            self._block(life, blocker)
        else:
            self._attempt(life)

    def _blocker(self, check: Check) -> ServiceState | None:
        states = (self._services.get(name) for name in check.services)
        return next((state for state in states if state is not None and not state.live), None)

    def _block(self, life: _Life, state: ServiceState) -> None:
        self._finish(life, Outcome.BLOCKED, reason=state.message, blocked_by=state.name)

    def _attempt(self, life: _Life) -> None:
        variables = {**self._variables, "unique": uuid.uuid4().hex}
        life.generator = attempt_check(
            life.check,
            variables,
            wall=self._wall,
            clock=self._loop.clock,
            locate=self._locate,
            curl=self._curl,
            learn=self._learn,
        )
        self._advance(life, None)

    def _advance(self, life: _Life, answer: Answer | None) -> None:
        if life.future.done() or life.generator is None:
            return
        try:
            ask = next(life.generator) if answer is None else life.generator.send(answer)
        except StopIteration as stop:
            self._conclude(life, stop.value)
            return
        except Exception as error:  # noqa: BLE001  # a fault of ours in one check must not end the others
            self._conclude(life, self._broken(error))
            return
        self._dispatcher.send(self._errand(life, ask), lambda reply: self._advance(life, reply))

    def _errand(self, life: _Life, ask: Ask) -> Errand:
        if not isinstance(ask.step.probe, PageProbe) or self._dispatcher.reports is None:
            return Errand(life.check.id, ask)
        number = len(life.attempts) + 1
        last_chance = number >= self._confirm.attempts or not life.check.may_repeat
        folder = evidence_folder(self._dispatcher.reports, life.check.id, number)
        return Errand(life.check.id, ask, trace=last_chance, evidence=folder)

    def _conclude(self, life: _Life, attempt: Attempt) -> None:
        life.attempts.append(attempt)
        life.generator = None
        if attempt.outcome is Outcome.PASSED:
            self._finish(life, Outcome.PASSED)
        elif not life.check.may_repeat or len(life.attempts) >= self._confirm.attempts:
            self._settle(life)
        else:
            self._loop.call_later(self._confirm.spacing, lambda: self._again(life))

    def _again(self, life: _Life) -> None:
        """Before a check is repeated that could not reach its service, the service is asked: one cause, not thirty."""
        if life.future.done():
            return
        fault = life.attempts[-1].fault
        location = self._target.locate(fault.url) if fault else None
        if fault is None or location is None or fault.code.startswith("http_"):
            self._attempt(life)
            return
        self._preflight.examine(self._target.services[location.service], lambda state: self._examined(life, state))

    def _examined(self, life: _Life, state: ServiceState) -> None:
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

    def _settle(self, life: _Life) -> None:
        failed = any(attempt.outcome is Outcome.FAILED for attempt in life.attempts)
        errored = any(attempt.outcome is Outcome.ERRORED for attempt in life.attempts)
        outcome = Outcome.ERRORED if errored or not failed else Outcome.FAILED
        self._finish(life, outcome, reason=life.attempts[-1].error)

    def _finish(
        self,
        life: _Life,
        outcome: Outcome,
        *,
        reason: str | None = None,
        blocked_by: str | None = None,
        by_policy: bool = False,
    ) -> None:
        if not life.future.done():
            life.future.set_result(
                CheckResult(life.check.id, outcome, tuple(life.attempts), reason, blocked_by, by_policy)
            )

    def _broken(self, error: Exception) -> Attempt:
        return Attempt(Outcome.ERRORED, self._wall(), 0.0, error=f"{type(error).__name__}: {error}")

    def _locate(self, step: Step) -> str:
        probe = step.probe
        location = getattr(probe, "location", None)
        return self._target.url(location) if location else self._target.services[probe.service].url

    def _curl(self, step: Step) -> str:
        return reproduce(step.probe, self._target, step.timeout)

    def _learn(self, secret: Secret) -> None:
        self._redactor.learn(secret)
