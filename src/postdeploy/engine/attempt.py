"""One attempt at a check: its steps in turn, each answer judged, the cleanup always.

An attempt is a generator: it yields what it wants to ask, and is sent the answer. So it knows no I/O and no threads.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from postdeploy.domain.check import Check, Save, Step
from postdeploy.domain.expectation import evaluate
from postdeploy.domain.matcher import MatcherError, show
from postdeploy.domain.observation import HttpObservation, Observation, PageObservation, UnreadableError
from postdeploy.domain.redaction import Secret
from postdeploy.domain.result import Attempt, Fault, Finding, Outcome
from postdeploy.domain.selection import MISSING
from postdeploy.engine.variables import UnknownVariableError, render_step
from postdeploy.errors import PostdeployError, ProbeError

__all__ = ["Answer", "Ask", "attempt_check"]

_SERVER_ERROR = 500

Answer = Observation | PostdeployError


@dataclass(frozen=True, slots=True)
class Ask:
    """What an attempt wants to know next."""

    step: Step
    settled: Callable[[Observation], bool]


@dataclass(slots=True)
class _Record:
    """What an attempt has gathered so far."""

    findings: list[Finding] = field(default_factory=list)
    error: str | None = None
    exchanges: int = 0
    releases: dict[str, None] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    excerpt: str = ""
    culprit: Step | None = None
    fault: Fault | None = None
    evidence: list[str] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        return bool(self.findings or self.error)


def attempt_check(
    check: Check,
    variables: Mapping[str, object],
    *,
    wall: Callable[[], float],
    clock: Callable[[], float],
    locate: Callable[[Step], str],
    curl: Callable[[Step], str],
    learn: Callable[[Secret], None],
) -> Generator[Ask, Answer, Attempt]:
    """Execute a check once (or ``repeat.times`` times); returns the attempt.

    Args:
        check: what to do.
        variables: what ``${…}`` may name from the start.
        wall: seconds since the epoch.
        clock: seconds, monotonic.
        locate: the URL or place that a step talks to.
        curl: a command that does what a step does.
        learn: told of every secret that is saved.
    """
    started, begun = wall(), clock()
    record = yield from _repeat(check, variables, locate, learn)
    outcome = Outcome.ERRORED if record.error else Outcome.FAILED if record.findings else Outcome.PASSED
    return Attempt(
        outcome=outcome,
        started=started,
        duration=clock() - begun,
        phases=record.phases,
        findings=tuple(record.findings),
        error=record.error,
        exchanges=record.exchanges,
        releases=tuple(record.releases),
        excerpt=record.excerpt if record.bad else "",
        curl=curl(record.culprit) if record.culprit else None,
        evidence=tuple(record.evidence),
        fault=record.fault,
    )


def _repeat(
    check: Check, variables: Mapping[str, object], locate: Callable[[Step], str], learn: Callable[[Secret], None]
) -> Generator[Ask, Answer, _Record]:
    """As many executions as asked for; too many bad ones, and the first bad one speaks for all."""
    good, bad, exchanges = None, [], 0
    releases: dict[str, None] = {}
    for _ in range(check.repeat.times):
        record = yield from _execute(check, dict(variables), locate, learn)
        exchanges += record.exchanges
        releases |= record.releases
        if record.bad:
            bad.append(record)
        else:
            good = record
        if len(bad) > check.repeat.times - check.repeat.passes:
            break
    chosen = bad[0] if len(bad) > check.repeat.times - check.repeat.passes else good or bad[0]
    chosen.exchanges, chosen.releases = exchanges, releases
    return chosen


def _execute(
    check: Check, variables: dict[str, object], locate: Callable[[Step], str], learn: Callable[[Secret], None]
) -> Generator[Ask, Answer, _Record]:
    record = _Record()
    for number, step in enumerate(check.steps, start=1):
        yield from _perform(step, number, variables, record, locate, learn)
        if record.bad:
            break
    for number, step in enumerate(check.cleanup, start=len(check.steps) + 1):
        yield from _clean(step, number, variables, record, locate, learn)
    return record


def _perform(
    step: Step,
    number: int,
    variables: dict[str, object],
    record: _Record,
    locate: Callable[[Step], str],
    learn: Callable[[Secret], None],
) -> Generator[Ask, Answer, None]:
    try:
        rendered = render_step(step, variables)
    except (UnknownVariableError, MatcherError) as error:
        record.error, record.culprit = str(error), step
        return
    answer = yield Ask(rendered, lambda seen: not evaluate(rendered.expectations, seen))
    if isinstance(answer, Observation):
        _judge(answer, rendered, number, record)
        _save(answer, rendered, number, variables, record, learn)
        _point(answer, locate(rendered), record)
    else:
        _blame(answer, rendered, number, record, locate(rendered))
    if record.bad:
        record.culprit = rendered


def _clean(
    step: Step,
    number: int,
    variables: dict[str, object],
    record: _Record,
    locate: Callable[[Step], str],
    learn: Callable[[Secret], None],
) -> Generator[Ask, Answer, None]:
    """A cleanup step that cannot name what it would clean up has nothing to clean up."""
    try:
        render_step(step, variables)
    except (UnknownVariableError, MatcherError):
        return
    earlier = (record.excerpt, record.culprit, record.fault) if record.bad else None
    yield from _perform(step, number, variables, record, locate, learn)
    if earlier:
        record.excerpt, record.culprit, record.fault = earlier


def _judge(answer: Observation, step: Step, number: int, record: _Record) -> None:
    record.exchanges += 1
    record.phases = answer.phases
    if answer.release:
        record.releases[answer.release] = None
    if isinstance(answer, PageObservation):
        record.evidence.extend(answer.evidence)
    found = evaluate(step.expectations, answer)
    record.findings.extend(_at_step(finding, number) for finding in found)
    if found:
        record.excerpt = answer.excerpt()


def _at_step(finding: Finding, number: int) -> Finding:
    return Finding(
        finding.code, finding.subject, finding.expected, finding.observed, number, finding.line, finding.column
    )


def _point(answer: Observation, url: str, record: _Record) -> None:
    """An answer of 500 and above points at the service rather than at the check."""
    if not record.findings or record.fault:
        return
    if isinstance(answer, HttpObservation) and answer.status >= _SERVER_ERROR:
        record.fault = Fault(url, f"http_{answer.status}")
    elif isinstance(answer, PageObservation):
        if answer.status >= _SERVER_ERROR:
            record.fault = Fault(url, f"http_{answer.status}")
        for request in answer.requests:
            if request.status >= _SERVER_ERROR:
                record.fault = record.fault or Fault(request.url, f"http_{request.status}")


def _blame(error: PostdeployError, step: Step, number: int, record: _Record, url: str) -> None:
    """A probe without an observation: the target's failure, or an error of ours."""
    if isinstance(error, ProbeError) and error.target_fault:
        record.phases = error.phases
        record.findings.append(
            Finding(error.code, _subject(step), "an answer", error.message, number, step.line, step.column)
        )
        record.fault = record.fault or Fault(url, error.code)
        record.evidence.extend(getattr(error, "evidence", ()))
    else:
        record.error = str(error)


def _subject(step: Step) -> str:
    probe = step.probe
    return str(getattr(probe, "location", None) or probe.service)


def _save(
    answer: Observation,
    step: Step,
    number: int,
    variables: dict[str, object],
    record: _Record,
    learn: Callable[[Secret], None],
) -> None:
    for save in step.save:
        value = _select(answer, save)
        if value is MISSING:
            place = save.selector.text if save.selector else f"header {save.header}"
            record.findings.append(
                Finding(
                    "mismatch", f"save {save.name}", f"a value at {place}", "nothing", number, step.line, step.column
                )
            )
            record.excerpt = record.excerpt or answer.excerpt()
            continue
        variables[save.name] = value
        if save.secret:
            learn(Secret(save.name, value if isinstance(value, str) else show(value)))


def _select(answer: Observation, save: Save) -> Any:
    try:
        if save.header is not None:
            return answer.subject("header", save.header)
        document = answer.subject("json")
    except UnreadableError:
        return MISSING
    return save.selector.select(document) if save.selector else document
