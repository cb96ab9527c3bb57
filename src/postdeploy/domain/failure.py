"""Stage B of a decision: is there a confirmed failure?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from postdeploy.domain.cause import Cause
from postdeploy.domain.evidence import SILENT, Evidence, PlannedCheck
from postdeploy.domain.health import closed, control_answers, excuse
from postdeploy.domain.policy import Action, Confirmation, OnFailure, OnMaintenance, Policy
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.verdict import Conclusion, Reason, Verdict
from postdeploy.domain.warning import find_warnings
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Failure", "fail", "find_failures", "judge_failure", "speaks_of_target"]

_TOLERANCE: Final = 0.05
"""Seconds by which two attempts may be closer than asked: clocks are not exact."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that failed; ``known`` says whether it did so before this release, None if nobody knows."""

    check: PlannedCheck
    confirmed: bool
    on_failure: OnFailure
    known: bool | None


def judge_failure(evidence: Evidence, policy: Policy, causes: tuple[Cause, ...]) -> Verdict | None:
    """Fail if a failure is confirmed, or was seen once on a check that may not be repeated; else None."""
    failures = [failure for failure in find_failures(evidence, policy) if failure.on_failure is not OnFailure.WARN]
    return fail(failures, causes, find_warnings(evidence, policy)) if failures else None


def fail(failures: Sequence[Failure], causes: tuple[Cause, ...], warnings: tuple[str, ...], where: str = "") -> Verdict:
    """The verdict that follows from failures; ``where`` says from which vantages they were seen."""
    rollback = [f for f in failures if f.on_failure is OnFailure.ROLLBACK and f.confirmed and not f.known]
    return Verdict(
        Conclusion.FAIL,
        _reason(rollback or failures),
        Action.ROLLBACK if rollback else Action.HOLD,
        _summary(failures, causes) + where,
        warnings,
        causes,
    )


def _reason(failures: Sequence[Failure]) -> Reason:
    if all(failure.known for failure in failures):
        return Reason.ALREADY_BROKEN
    if all(failure.known is False for failure in failures):
        return Reason.NEWLY_BROKEN
    return Reason.CONFIRMED_FAILURE


def _summary(failures: Sequence[Failure], causes: tuple[Cause, ...]) -> str:
    count = f"{len(failures)} check{'s' if len(failures) > 1 else ''} failed"
    if not any(failure.confirmed for failure in failures):
        count += " once and may not be repeated"
    if all(failure.known for failure in failures):
        count += ", as before this release"
    ours = {failure.check.id for failure in failures}
    relevant = [cause for cause in causes if ours & set(cause.checks)]
    if len(relevant) == 1:
        return f"{count}, one cause: {relevant[0].summary}"
    return f"{count}, {len(relevant)} causes; first: {relevant[0].summary}"


def find_failures(evidence: Evidence, policy: Policy) -> Iterator[Failure]:
    """Every failure that counts, of any severity."""
    for check in evidence.plan:
        if evidence.excused(check):
            continue
        if policy.on_maintenance is OnMaintenance.HOLD and closed(evidence.result(check), evidence):
            continue
        confirmed = _confirmed(check, evidence.result(check), evidence, policy.confirm)
        if confirmed is not None:
            yield Failure(check, confirmed, policy.actions[check.severity], _known(check, evidence))


def _confirmed(check: PlannedCheck, result: CheckResult, evidence: Evidence, confirm: Confirmation) -> bool | None:
    """True: a failure; False: a failure of a check that may not be repeated; None: none, or not yet one."""
    if result.outcome is Outcome.BLOCKED:
        return _down(result.blocked_by, evidence, confirm) or None
    if result.outcome is not Outcome.FAILED or evidence.release.live is False:
        return None
    if not result.attempts or not speaks_of_target(result, evidence):
        return None
    if _spaced(result.attempts, confirm) >= confirm.attempts:
        return True
    return None if check.may_repeat else False


def speaks_of_target(result: CheckResult, evidence: Evidence) -> bool:
    """Whether each attempt of a failure says something of the target, as far as this evidence can tell."""
    return all(_speaks(attempt, evidence) for attempt in result.attempts)


def _speaks(attempt: Attempt, evidence: Evidence) -> bool:
    """Whether a failing attempt says something of the target: it answered, or the fault can only be its own."""
    if attempt.outcome is not Outcome.FAILED or excuse(attempt, None, evidence):
        return False
    if attempt.fault is None or attempt.fault.code not in SILENT:
        return attempt.exchanges > 0 or attempt.fault is not None
    return _reachable(evidence, attempt.started)


def _down(service: str | None, evidence: Evidence, confirm: Confirmation) -> bool:
    """Whether the service that blocked a check is down for sure, and through no fault of ours."""
    state = evidence.services.get(service or "")
    if state is None or state.live or not state.target_fault or state.attempts < confirm.attempts:
        return False
    if excuse(None, state.code, evidence):
        return False
    if state.code not in SILENT:
        return True
    blocked = (result for result in evidence.results.values() if result.blocked_by == service)
    tried = [attempt.started for result in blocked for attempt in result.attempts]
    return _reachable(evidence, max(tried, default=float(evidence.run["started"])))


def _reachable(evidence: Evidence, moment: float) -> bool:
    """Whether our network is known to have worked, from the target itself or from the control URL."""
    return evidence.answered_since(moment) or control_answers(evidence, moment)


def _spaced(attempts: Sequence[Attempt], confirm: Confirmation) -> int:
    """How many of the attempts are far enough apart to count."""
    count, last = 0, float("-inf")
    for started in sorted(attempt.started for attempt in attempts):
        if started - last >= confirm.spacing - _TOLERANCE:
            count, last = count + 1, started
    return count


def _known(check: PlannedCheck, evidence: Evidence) -> bool | None:
    """Whether the check failed before this release; None if nobody knows."""
    baseline = evidence.baseline
    if baseline is None or (baseline.release is not None and baseline.release == evidence.release.expected):
        return None
    before = baseline.outcomes.get(check.id)
    if before in {Outcome.FAILED, Outcome.BLOCKED}:
        return True
    return False if before is Outcome.PASSED else None
