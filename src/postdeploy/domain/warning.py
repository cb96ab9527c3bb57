"""What a person should know of although it does not decide."""

from __future__ import annotations

from collections.abc import Iterator

from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.health import control_warnings
from postdeploy.domain.past import past_warnings
from postdeploy.domain.policy import OnFailure, Policy
from postdeploy.domain.result import CheckResult, Outcome

__all__ = ["find_warnings", "is_required"]


def find_warnings(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    """One text for each flaky check, each check without a passing result that only warns, each sick control probe.

    Each quarantine that matters has one, too. Checks that the lock does not have share one; so do those that the last
    run had and this one has not, and those that became slow.
    """
    checks = tuple(
        text
        for check in evidence.plan
        for text in _warnings(check, evidence.result(check), policy.actions[check.severity])
    )
    return (
        *checks,
        *_quarantines(evidence),
        *control_warnings(evidence),
        *_unlocked(evidence),
        *past_warnings(evidence),
    )


def _quarantines(evidence: Evidence) -> Iterator[str]:
    """What a quarantine has kept from counting, and each that is over: it is to be taken out, or renewed."""
    for check in evidence.plan:
        entry = check.quarantine
        if entry is not None and not evidence.quarantined(check):
            yield f"the quarantine of {check.name} ended on {entry.until}; it counts again (owner: {entry.owner})"
        elif entry is not None and evidence.excused(check):
            yield f"in quarantine until {entry.until}: {check.name} failed (owner: {entry.owner}; {entry.reason})"


def _unlocked(evidence: Evidence) -> Iterator[str]:
    """A check that is new would not be missed if it vanished again."""
    lock = evidence.lock
    new = lock.new(check.id for check in evidence.plan) if lock else ()
    if lock and new:
        more = f" and {len(new) - 1} more" if len(new) > 1 else ""
        yield f"not in {lock.file}: {new[0]}{more}; run: postdeploy lock"


def is_required(check: PlannedCheck, policy: Policy) -> bool:
    """Whether a pass needs this check: by its severity, or because the policy acts on its failure."""
    return check.required or policy.actions[check.severity] is not OnFailure.WARN


def _warnings(check: PlannedCheck, result: CheckResult, on_failure: OnFailure) -> Iterator[str]:
    if result.flaky:
        yield f"flaky: {check.name} passed on attempt {len(result.attempts)} only"
    excused = result.outcome is Outcome.SKIPPED and result.by_policy
    if on_failure is OnFailure.WARN and result.outcome is not Outcome.PASSED and not excused:
        yield f"{check.severity.value}: {check.name} {result.outcome.value.replace('_', ' ')}"
