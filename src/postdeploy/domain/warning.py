"""What a person should know of although it does not decide."""

from __future__ import annotations

from postdeploy.domain.evidence import Evidence
from postdeploy.domain.policy import OnFailure, Policy
from postdeploy.domain.result import Outcome

__all__ = ["find_warnings"]


def find_warnings(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    """One text for each flaky check and for each failure that only warns."""
    texts = []
    for check in evidence.plan:
        result = evidence.result(check)
        if result.flaky:
            texts.append(f"flaky: {check.name} passed on attempt {len(result.attempts)} only")
        minor = not check.required or policy.actions[check.severity] is OnFailure.WARN
        if minor and result.outcome not in {Outcome.PASSED, Outcome.SKIPPED}:
            texts.append(f"{check.severity.value}: {check.name} {result.outcome.value.replace('_', ' ')}")
    return tuple(texts)
