"""Stage B of a decision: is there a confirmed failure?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from postdeploy.domain.cause import Cause
from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.policy import Action, OnFailure, Policy
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.verdict import Conclusion, Reason, Verdict
from postdeploy.domain.warning import find_warnings

__all__ = ["judge_failure"]

_SPACING_TOLERANCE = 0.05
"""Seconds by which two attempts may be closer than asked: clocks are not exact."""


@dataclass(frozen=True, slots=True)
class _Failure:
    check: PlannedCheck
    confirmed: bool
    on_failure: OnFailure
    known: bool | None


def judge_failure(evidence: Evidence, policy: Policy, causes: tuple[Cause, ...]) -> Verdict | None:
    """Fail if a failure is confirmed, or was seen once on a check that may not be repeated; else None."""
    failures = [failure for failure in _failures(evidence, policy) if failure.on_failure is not OnFailure.WARN]
    if not failures:
        return None
    rollback = [f for f in failures if f.on_failure is OnFailure.ROLLBACK and f.confirmed and not f.known]
    action = Action.ROLLBACK if rollback else Action.HOLD
    return Verdict(
        Conclusion.FAIL,
        _failure_reason(rollback or failures),
        action,
        _failure_summary(failures, causes),
        find_warnings(evidence, policy),
        causes,
    )


def _failure_reason(failures: list[_Failure]) -> Reason:
    if all(failure.known for failure in failures):
        return Reason.ALREADY_BROKEN
    if all(failure.known is False for failure in failures):
        return Reason.NEWLY_BROKEN
    return Reason.CONFIRMED_FAILURE


def _failure_summary(failures: list[_Failure], causes: tuple[Cause, ...]) -> str:
    count = f"{len(failures)} check{'s' if len(failures) > 1 else ''} failed"
    unconfirmed = [failure for failure in failures if not failure.confirmed]
    if len(unconfirmed) == len(failures):
        count += " once and may not be repeated"
    if all(failure.known for failure in failures):
        count += ", as before this release"
    ours = {failure.check.id for failure in failures}
    relevant = [cause for cause in causes if ours & set(cause.checks)]
    if len(relevant) == 1:
        return f"{count}, one cause: {relevant[0].summary}"
    return f"{count}, {len(relevant)} causes; first: {relevant[0].summary}"


def _failures(evidence: Evidence, policy: Policy) -> Iterator[_Failure]:
    for check in evidence.plan:
        result = evidence.result(check)
        confirmed = _confirmed(check, result, evidence, policy)
        if confirmed is not None:
            yield _Failure(check, confirmed, policy.actions[check.severity], _known(check, evidence))


def _confirmed(check: PlannedCheck, result: CheckResult, evidence: Evidence, policy: Policy) -> bool | None:
    """True: a failure; False: a failure of a check that may not be repeated; None: none, or not yet one."""
    if result.outcome is Outcome.BLOCKED:
        state = evidence.services.get(result.blocked_by or "")
        down = state and not state.live and state.target_fault and state.attempts >= policy.confirm.attempts
        return True if down else None
    if result.outcome is not Outcome.FAILED:
        return None
    failing = [attempt for attempt in result.attempts if attempt.outcome is Outcome.FAILED]
    if len(failing) >= policy.confirm.attempts and _spaced(failing, policy):
        return True
    return None if check.may_repeat else False


def _spaced(failing: list[Attempt], policy: Policy) -> bool:
    needed = policy.confirm.spacing * (policy.confirm.attempts - 1) - _SPACING_TOLERANCE
    return failing[-1].started - failing[0].started >= needed


def _known(check: PlannedCheck, evidence: Evidence) -> bool | None:
    """Whether the check failed before this release; None if nobody knows."""
    before = evidence.baseline.outcomes.get(check.id) if evidence.baseline else None
    if before in {Outcome.FAILED, Outcome.BLOCKED}:
        return True
    return False if before is Outcome.PASSED else None
