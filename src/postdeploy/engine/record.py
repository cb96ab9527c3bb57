"""What one execution of a check gathers: each answer judged, kept, and pointed at whoever is to blame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from postdeploy.domain.check import Save, Step
from postdeploy.domain.expectation import evaluate
from postdeploy.domain.health import MAINTENANCE
from postdeploy.domain.maintenance import asks_to_come_back, shows_maintenance
from postdeploy.domain.matcher import show
from postdeploy.domain.observation import HttpObservation, Observation, PageObservation, TlsObservation, UnreadableError
from postdeploy.domain.redaction import Secret
from postdeploy.domain.result import Fault, Finding, Outcome
from postdeploy.domain.selection import MISSING
from postdeploy.domain.target import Maintenance
from postdeploy.domain.tokens import issued
from postdeploy.errors import PostdeployError, ProbeError
from postdeploy.guard.courtesy import TOO_MANY_REQUESTS
from postdeploy.lazy_dataclass import dataclass, field, replace

__all__ = ["Record", "select"]

_SERVER_ERROR = 500

_LEAST = 3
"""Characters of a value that is masked because an answer gave it: any fewer would be found in every report."""


@dataclass(slots=True)
class Record:
    """The first bad thing decides the outcome; what a cleanup finds afterwards is only added."""

    marker: Maintenance = field(default_factory=Maintenance)
    outcome: Outcome = Outcome.PASSED
    findings: list[Finding] = field(default_factory=list)
    error: str | None = None
    exchanges: int = 0
    releases: dict[str, None] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    excerpt: str = ""
    culprit: Step | None = None
    fault: Fault | None = None
    evidence: list[str] = field(default_factory=list)
    status: int | None = None
    code: str | None = None
    expires: float | None = None

    @property
    def bad(self) -> bool:
        """Whether anything was wrong."""
        return self.outcome is not Outcome.PASSED

    def judge(self, answer: Observation, step: Step, number: int, url: str) -> None:
        """What an answer is, beside what was expected."""
        self.exchanges += 1
        self.phases = answer.phases
        if answer.release:
            self.releases[answer.release] = None
        if isinstance(answer, PageObservation):
            self.evidence.extend(answer.evidence)
        if isinstance(answer, TlsObservation):
            self.expires = answer.expires
        found = [replace(finding, step=number) for finding in evaluate(step.expectations, answer)]
        self._note_status(answer)
        if (found and asks_to_come_back(answer)) or shows_maintenance(answer, self.marker):
            closed = Finding("maintenance", "service", "open", f"in maintenance (HTTP {self.status})", number)
            self._fail([closed, *found], step, answer.excerpt(), Fault(url, MAINTENANCE))
        elif found and self.status == TOO_MANY_REQUESTS:
            self.code = self.code or "rate_limited"
            self.give_up("the target answered HTTP 429", step)
        elif found and isinstance(answer, PageObservation) and answer.refusals:
            self.give_up(_ambiguous(answer, found), step)
        elif found:
            self._fail(found, step, answer.excerpt(), _server_fault(answer, url))

    def keep(
        self,
        answer: Observation,
        step: Step,
        number: int,
        variables: dict[str, object],
        learn: Callable[[Secret], object],
        url: str,
    ) -> None:
        """Save what later steps use; a value that is not there is a finding."""
        if isinstance(answer, HttpObservation):
            for secret in issued(answer.method, answer.headers, answer.body):
                learn(secret)
        for save in step.save:
            value = select(answer, save)
            if value is MISSING:
                self._fail([_nothing(save, step, number)], step, answer.excerpt(), _server_fault(answer, url))
                continue
            variables[save.name] = value
            if save.secret:
                self._learn(Secret(save.name, value if isinstance(value, str) else show(value)), step, learn)

    def blame(self, error: PostdeployError, step: Step, number: int, url: str) -> None:
        """A probe without an observation: the target's failure, or an error of ours."""
        if isinstance(error, ProbeError) and error.target_fault:
            self.phases = error.phases
            self.evidence.extend(getattr(error, "evidence", ()))
            subject = str(getattr(step.probe, "location", None) or step.probe.service)
            finding = Finding(error.code, subject, "an answer", error.message, number, step.line, step.column)
            self._fail([finding], step, "", Fault(url, error.code))
        else:
            self.code = self.code or getattr(error, "code", None)
            self.give_up(str(error), step)

    def give_up(self, message: str, step: Step) -> None:
        """We could not tell."""
        self.error = self.error or message
        if not self.bad:
            self.outcome, self.culprit = Outcome.ERRORED, step

    def _note_status(self, answer: Observation) -> None:
        """That of the first bad answer stays."""
        if not self.bad:
            self.status = getattr(answer, "status", None)

    def _learn(self, secret: Secret, step: Step, learn: Callable[[Secret], object]) -> None:
        size = len(secret.reveal())
        if size < _LEAST:
            self.give_up(f"'{secret.name}' is saved as a secret and has {size} characters: too few to be masked", step)
        else:
            learn(secret)

    def _fail(self, found: list[Finding], step: Step, excerpt: str, fault: Fault | None) -> None:
        self.findings.extend(found)
        if not self.bad:
            self.outcome, self.culprit, self.excerpt, self.fault = Outcome.FAILED, step, excerpt, fault


def _ambiguous(answer: PageObservation, found: list[Finding]) -> str:
    """A page that we kept from sending something may look wrong because of that: nobody can tell."""
    return f"the guard stopped {answer.refusals[0]}; so this cannot be judged: {found[0]}"


def _server_fault(answer: Observation, url: str) -> Fault | None:
    """An answer of 500 and above points at the service rather than at the check."""
    if isinstance(answer, HttpObservation | PageObservation) and answer.status >= _SERVER_ERROR:
        return Fault(url, f"http_{answer.status}")
    if isinstance(answer, PageObservation):
        failed = (request for request in answer.requests if request.status >= _SERVER_ERROR)
        return next((Fault(request.url, f"http_{request.status}") for request in failed), None)
    return None


def _nothing(save: Save, step: Step, number: int) -> Finding:
    place = save.selector.text if save.selector else f"header {save.header}"
    return Finding("mismatch", f"save {save.name}", f"a value at {place}", "nothing", number, step.line, step.column)


def select(answer: Observation, save: Save) -> Any:
    """The value that is to be saved, or MISSING."""
    try:
        if save.header is not None:
            return answer.subject("header", save.header)
        document = answer.subject("json")
    except UnreadableError:
        return MISSING
    return save.selector.select(document) if save.selector else document
