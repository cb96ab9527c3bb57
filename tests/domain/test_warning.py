from __future__ import annotations

import pytest

from postdeploy.domain.policy import Policy
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.warning import find_warnings, is_required
from tests.domain.builders import evidence, failed, passed, plan, policy, result


@pytest.mark.parametrize(
    ("check", "severity", "warnings"),
    [
        (passed(), "critical", ()),
        (failed(), "critical", ()),
        (result("home", "failed", "passed"), "critical", ("flaky: home passed on attempt 2 only",)),
        (passed(), "minor", ()),
        (failed(), "minor", ("minor: home failed",)),
        (CheckResult("home", Outcome.NOT_RUN), "minor", ("minor: home not run",)),
        (CheckResult("home", Outcome.SKIPPED, reason="later"), "minor", ("minor: home skipped",)),
        (CheckResult("home", Outcome.SKIPPED, by_policy=True), "minor", ()),
    ],
)
def test_warnings(check: CheckResult, severity: str, warnings: tuple[str, ...]) -> None:
    """What does not decide is told: flaky passes, and minor checks without a pass that no policy explains."""
    assert find_warnings(evidence(check, plan=(plan(severity=severity),)), Policy()) == warnings


def test_the_policy_can_make_anything_a_warning() -> None:
    """A critical failure that the policy only warns of is told like a minor one."""
    assert find_warnings(evidence(failed()), policy(critical="warn")) == ("critical: home failed",)


@pytest.mark.parametrize(
    ("severity", "actions", "required"),
    [("critical", {}, True), ("major", {}, True), ("minor", {}, False), ("minor", {"minor": "hold"}, True),
     ("critical", {"critical": "warn"}, True)],
)  # fmt: skip
def test_required(severity: str, actions: dict[str, str], required: bool) -> None:
    """A pass needs critical and major checks always, minor ones only where their failure would not just warn."""
    assert is_required(plan(severity=severity), policy(**actions)) is required
