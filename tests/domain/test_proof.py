from __future__ import annotations

from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.policy import Action, Policy
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.verdict import Conclusion, Reason
from tests.domain.builders import attempt, evidence, failed, incidents, passed, plan, policy, release, result


def test_everything_is_proven() -> None:
    """Complete positive evidence is a pass."""
    verdict = decide(evidence(passed("a"), passed("b")))
    assert (verdict.conclusion, verdict.reason, verdict.action) == (
        Conclusion.PASS, Reason.ALL_REQUIRED_PASSED, Action.PROMOTE,
    )  # fmt: skip
    assert verdict.summary == "2 of 2 checks passed"


def test_skipped_by_policy() -> None:
    """A check that the policy leaves out is not missed."""
    skipped = CheckResult("b", Outcome.SKIPPED, reason="read-only", by_policy=True)
    verdict = decide(evidence(passed("a"), skipped, pytest_exit=0))
    assert (verdict.conclusion, verdict.summary) == (Conclusion.PASS, "1 of 2 checks passed, 1 skipped")


@pytest.mark.parametrize(
    ("changes", "reason", "summary"),
    [
        ({"finished": False}, Reason.INCOMPLETE, "the run did not finish"),
        ({"pytest_exit": None}, Reason.INCOMPLETE, "the run did not finish"),
        ({"pytest_exit": 1}, Reason.REQUIRED_CHECK_NOT_PROVEN, "pytest reports a failure that no check explains"),
        ({"pytest_exit": 2}, Reason.INTERRUPTED, "pytest ended with status 2"),
        ({"pytest_exit": 3}, Reason.INTERNAL_ERROR, "pytest ended with status 3"),
        ({"pytest_exit": 4}, Reason.CONFIG_ERROR, "pytest ended with status 4"),
        ({"pytest_exit": 5}, Reason.NOTHING_SELECTED, "pytest ended with status 5"),
        ({"pytest_exit": 6}, Reason.REQUIRED_CHECK_NOT_PROVEN, "pytest ended with status 6"),
        ({"pytest_exit": 7}, Reason.FLAKY_UNRESOLVED, "pytest ended with status 7"),
        ({"pytest_exit": 8}, Reason.INTERNAL_ERROR, "pytest ended with status 8"),
        ({"pytest_exit": -9}, Reason.INTERNAL_ERROR, "pytest ended with status -9"),
        ({"narrowed_by": ("-k", "-m")}, Reason.SUITE_NARROWED, "the suite was narrowed by -k, -m"),
        ({"plan": ()}, Reason.NOTHING_SELECTED, "no required check was collected"),
        ({"plan": (), "results": {}}, Reason.NOTHING_SELECTED, "no required check was collected"),
        ({"plan": (plan(severity="minor"),)}, Reason.NOTHING_SELECTED, "no required check was collected"),
        (
            {"plan": (plan(), plan("b"))},
            Reason.REQUIRED_CHECK_NOT_PROVEN,
            "b: not run, it never reported",
        ),
        (
            {"plan": (plan(), plan("b"), plan("c", "major"))},
            Reason.REQUIRED_CHECK_NOT_PROVEN,
            "b: not run, it never reported (and 1 more)",
        ),
        (
            {"release": release(last={})},
            Reason.INCOMPLETE,
            "after the last check, web did not say again which release answers",
        ),
        (
            {"release": release(last={"web": "?"})},
            Reason.INCOMPLETE,
            "after the last check, web did not say again which release answers",
        ),
        (
            {"release": release(first={"web": "r2", "api": "r2"}, last={})},
            Reason.INCOMPLETE,
            "after the last check, web, api did not say again which release answers",
        ),
        ({"release": release(first={}, last={})}, Reason.INCOMPLETE, "no service was seen to answer as r2"),
        ({"incidents": incidents("worker_lost")}, Reason.WORKER_LOST, "worker_lost happened"),
        ({"incidents": incidents("worker_lost", "interrupted")}, Reason.INTERRUPTED, "interrupted happened"),
        (
            {"incidents": incidents("required_check_missing")},
            Reason.REQUIRED_CHECK_MISSING,
            "required_check_missing happened",
        ),
        ({"incidents": incidents("deadline_exceeded")}, Reason.DEADLINE_EXCEEDED, "deadline_exceeded happened"),
    ],
)  # fmt: skip
def test_what_is_missing(changes: dict[str, Any], reason: Reason, summary: str) -> None:
    """Whatever is missing, the verdict is inconclusive and says it."""
    verdict = decide(evidence(passed(), **changes))
    assert (verdict.conclusion, verdict.reason, verdict.action) == (Conclusion.INCONCLUSIVE, reason, Action.HOLD)
    assert verdict.summary == summary


@pytest.mark.parametrize(
    ("check", "summary"),
    [
        (result("home", "failed"), "home: failed, status: expected 200, got 404"),
        (result("home", "errored"), "home: errored, our side broke"),
        (CheckResult("home", Outcome.ERRORED, reason="two\nlines"), "home: errored, two"),
        (CheckResult("home", Outcome.SKIPPED), "home: skipped, no reason was given"),
        (CheckResult("home", Outcome.SKIPPED, reason="later"), "home: skipped, later"),
        (CheckResult("home", Outcome.SKIPPED, (attempt("failed"),), " ", by_policy=True),
         "home: skipped, status: expected 200, got 404"),
        (CheckResult("home", Outcome.NOT_RUN, reason="the deadline came"), "home: not run, the deadline came"),
        (CheckResult("home", Outcome.PASSED), "home: passed without a passing attempt"),
        (result("home", "passed", "failed", outcome=Outcome.PASSED), "home: passed without a passing attempt"),
        (result("home", "passed", attempts=(attempt(exchanges=0),)),
         "home: passed without any exchange with the target"),
        (result("home", "passed", attempts=(attempt(duration=float("inf")),)),
         "home: passed with a figure that is no number"),
        (result("home", "passed", attempts=(attempt(duration=float("nan")),)),
         "home: passed with a figure that is no number"),
        (result("home", "passed", attempts=(attempt(at=float("nan")),)),
         "home: passed with a figure that is no number"),
        (result("home", "passed", attempts=(attempt(phases={"dns": float("nan")}),)),
         "home: passed with a figure that is no number"),
    ],
)  # fmt: skip
def test_not_proven(check: CheckResult, summary: str) -> None:
    """A required check without a real passing attempt proves nothing."""
    verdict = decide(evidence(check, passed("other")))
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.REQUIRED_CHECK_NOT_PROVEN)
    assert verdict.summary == summary


def test_nothing_but_skipped() -> None:
    """A run of which the policy left nothing proves nothing, also if the policy makes a minor check count."""
    skipped = CheckResult("home", Outcome.SKIPPED, reason="read-only", by_policy=True)
    run = evidence(skipped, passed("extra"), plan=(plan(), plan("extra", "minor")), policy=policy(minor="hold"))
    for each in (run, evidence(skipped, pytest_exit=0)):
        verdict = decide(each)
        assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.NOTHING_SELECTED)
        assert verdict.summary == "every required check was skipped by policy"


def test_minor_errors_only_warn() -> None:
    """A minor check that errored is a warning, unless the policy acts on minor checks."""
    run = evidence(passed(), result("extra", "errored"), plan=(plan(), plan("extra", "minor")))
    verdict = decide(run)
    assert (verdict.conclusion, verdict.reason) == (Conclusion.PASS, Reason.PASSED_WITH_WARNINGS)
    assert verdict.summary == "1 of 2 checks passed, 1 warning"
    assert decide(run, policy(minor="hold")).conclusion is Conclusion.INCONCLUSIVE


def test_a_pass_has_its_causes() -> None:
    """What only warns has a cause that people can read, too."""
    verdict = decide(evidence(passed(), failed("extra"), plan=(plan(), plan("extra", "minor"))))
    assert verdict.reason is Reason.PASSED_WITH_WARNINGS
    assert [cause.checks for cause in verdict.causes] == [("extra",)]


def test_every_policy_warns() -> None:
    """A policy that only warns cannot make failures pass."""
    lax = policy(critical="warn", major="warn")
    assert decide(evidence(failed(), passed("other"), policy=lax)).conclusion is Conclusion.INCONCLUSIVE


@pytest.mark.parametrize(("allowed", "conclusion"), [(2, Conclusion.PASS), (1, Conclusion.INCONCLUSIVE)])
def test_flaky_budget(allowed: int, conclusion: Conclusion) -> None:
    """As many checks as the policy allows may pass only when repeated."""
    flaky = (result("a", "failed", "passed"), result("b", "errored", "passed"))
    verdict = decide(evidence(*flaky, policy=Policy(flaky=allowed)))
    assert verdict.conclusion is conclusion
    assert len(verdict.warnings) == 2
    if conclusion is Conclusion.INCONCLUSIVE:
        assert verdict.reason is Reason.FLAKY_UNRESOLVED
        assert verdict.summary == "2 checks passed only when repeated, 1 are allowed"
    else:
        assert verdict.summary == "2 of 2 checks passed, 2 warnings"
