from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import Baseline
from postdeploy.domain.policy import Action, Confirmation, Policy
from postdeploy.domain.quarantine import Quarantine
from postdeploy.domain.result import CheckResult, Finding, Outcome
from postdeploy.domain.verdict import Conclusion, Reason
from tests.domain.builders import (
    attempt,
    blocked,
    down,
    evidence,
    failed,
    passed,
    plan,
    policy,
    release,
    result,
    services,
    unheard,
    up,
)

INCONCLUSIVE = (Conclusion.INCONCLUSIVE, Action.HOLD)
ROLLBACK = (Conclusion.FAIL, Action.ROLLBACK)
HOLD = (Conclusion.FAIL, Action.HOLD)


def decided(check: CheckResult, **changes: Any) -> tuple[Conclusion, Action]:
    """What follows if another check has passed."""
    verdict = decide(evidence(check, passed("other"), **changes))
    return verdict.conclusion, verdict.action


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        pytest.param(failed(), ROLLBACK, id="twice, spaced"),
        pytest.param(result("home", "failed", "failed", "failed"), ROLLBACK, id="three times"),
        pytest.param(result("home", "failed"), INCONCLUSIVE, id="once"),
        pytest.param(result("home", "failed", "errored", outcome=Outcome.FAILED), INCONCLUSIVE, id="one errored"),
        pytest.param(result("home", "failed", "errored"), INCONCLUSIVE, id="errored at last"),
        pytest.param(result("home", "errored", "failed", "failed"), INCONCLUSIVE, id="errored at first"),
        pytest.param(result("home", "failed", "passed", "failed"), INCONCLUSIVE, id="one passing"),
        pytest.param(
            result("home", "failed", "failed", "passed", outcome=Outcome.FAILED), INCONCLUSIVE, id="recovered"
        ),
        pytest.param(CheckResult("home", Outcome.FAILED), INCONCLUSIVE, id="no attempt"),
        pytest.param(
            failed(attempts=(attempt("failed"), attempt("failed", 0.5))), INCONCLUSIVE, id="too close"
        ),
        pytest.param(
            failed(attempts=(attempt("failed"), attempt("failed", 0.96))), ROLLBACK, id="as close as clocks go wrong"
        ),
        pytest.param(
            failed(attempts=(attempt("failed", 2), attempt("failed"))), ROLLBACK, id="in another order"
        ),
        pytest.param(
            failed(attempts=(attempt("failed", float("nan")), attempt("failed", float("nan")))), INCONCLUSIVE, id="NaN"
        ),
        pytest.param(
            failed(attempts=(attempt("failed", exchanges=0), attempt("failed", 2, exchanges=0))),
            INCONCLUSIVE,
            id="never asked the target",
        ),
        pytest.param(
            failed(attempts=(unheard("connection_refused"), unheard("timeout", 2))), ROLLBACK, id="refused, timed out"
        ),
    ],
)  # fmt: skip
def test_confirmation(check: CheckResult, expected: tuple[Conclusion, Action]) -> None:
    """Only failing attempts that speak of the target, far enough apart and none passing, roll back."""
    assert decided(check) == expected


def test_three_attempts_are_asked_for() -> None:
    """Attempts that crowd at the beginning do not stand for three spaced ones."""
    rules = Policy(confirm=Confirmation(3, 1.0))
    crowd = failed(attempts=(attempt("failed"), attempt("failed", 0.01), attempt("failed", 3)))
    assert decided(crowd, policy=rules) == INCONCLUSIVE
    assert decided(result("home", "failed", "failed", "failed"), policy=rules) == ROLLBACK


def test_may_not_be_repeated() -> None:
    """One failing attempt of a check that may not be repeated means fail, and hold."""
    verdict = decide(evidence(result("home", "failed"), plan=(plan(may_repeat=False),)))
    assert (verdict.conclusion, verdict.action) == HOLD
    assert verdict.summary.startswith("1 check failed once and may not be repeated, one cause:")


@pytest.mark.parametrize("check", [result("home", "errored"), result("home", "failed", "errored")])
def test_may_not_be_repeated_and_errored(check: CheckResult) -> None:
    """An error of ours is no failure, repeatable or not."""
    assert decided(check, plan=(plan(may_repeat=False), plan("other"))) == INCONCLUSIVE


@pytest.mark.parametrize("code", ["connect_timeout", "host_unreachable", "dns_not_found"])
def test_silence(code: str) -> None:
    """Silence is the target's only if something of the target answered afterwards; else our network may be broken."""
    mute = evidence(failed(attempts=(unheard(code), unheard(code, 2))), release=release(last={}))
    assert decide(mute).conclusion is Conclusion.INCONCLUSIVE
    later = result("other", "passed", attempts=(attempt(at=3),))
    heard = evidence(*mute.results.values(), later, release=release(last={}))
    assert decide(heard).action is Action.ROLLBACK
    seen = evidence(*mute.results.values(), release=release())
    assert decide(seen).action is Action.ROLLBACK


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (down(), ROLLBACK),
        (down(code="http_503"), ROLLBACK),
        (down(code="timeout"), ROLLBACK),
        (down(code="connect_timeout"), ROLLBACK),
        (down(attempts=1), INCONCLUSIVE),
        (down(target_fault=False), INCONCLUSIVE),
        (replace(down(), live=True), INCONCLUSIVE),
        (replace(down(), live=True, target_fault=False), INCONCLUSIVE),
        (up(), INCONCLUSIVE),
    ],
)
def test_blocked(state: Any, expected: tuple[Conclusion, Action]) -> None:
    """A blocked check is a failure if its service is down for sure, still, and not through our fault."""
    assert decided(blocked(), services=services(state, up("api"))) == expected


def test_blocked_by_nobody() -> None:
    """A check that is blocked by a service that nobody looked at is no failure."""
    assert decided(blocked(by="ghost")) == INCONCLUSIVE
    assert decided(CheckResult("home", Outcome.BLOCKED)) == INCONCLUSIVE


def test_blocked_by_silence() -> None:
    """A service that went silent is down only if something of the target answered after it was tried."""
    first = blocked(attempts=(unheard("connect_timeout", 5),))
    late = blocked("late")
    changes: dict[str, Any] = {
        "services": services(down(code="connect_timeout"), up("api")),
        "release": release(last={}),
    }
    assert decide(evidence(first, late, passed("before"), **changes)).conclusion is Conclusion.INCONCLUSIVE
    after = result("after", "passed", attempts=(attempt(at=6),))
    assert decide(evidence(first, late, after, **changes)).action is Action.ROLLBACK


@pytest.mark.parametrize(
    ("severity", "actions", "expected"),
    [
        ("critical", {}, ROLLBACK),
        ("critical", {"critical": "hold"}, HOLD),
        ("critical", {"critical": "warn"}, INCONCLUSIVE),
        ("major", {}, HOLD),
        ("major", {"major": "rollback"}, ROLLBACK),
        ("minor", {}, (Conclusion.PASS, Action.PROMOTE)),
        ("minor", {"minor": "hold"}, HOLD),
        ("minor", {"minor": "rollback"}, ROLLBACK),
    ],
)
def test_actions(severity: str, actions: dict[str, str], expected: tuple[Conclusion, Action]) -> None:
    """The policy says what a severity asks for; no policy lets a critical failure pass."""
    planned = (plan(severity=severity), plan("other"))
    assert decided(failed(), plan=planned, policy=policy(**actions)) == expected


@pytest.mark.parametrize(
    ("before", "release_before", "reason", "action"),
    [
        ("failed", "r1", Reason.ALREADY_BROKEN, Action.HOLD),
        ("blocked", "r1", Reason.ALREADY_BROKEN, Action.HOLD),
        ("failed", None, Reason.ALREADY_BROKEN, Action.HOLD),
        ("passed", "r1", Reason.NEWLY_BROKEN, Action.ROLLBACK),
        ("errored", "r1", Reason.CONFIRMED_FAILURE, Action.ROLLBACK),
        ("failed", "r2", Reason.CONFIRMED_FAILURE, Action.ROLLBACK),
        (None, "r1", Reason.CONFIRMED_FAILURE, Action.ROLLBACK),
    ],
)
def test_baseline(before: str | None, release_before: str | None, reason: Reason, action: Action) -> None:
    """What failed before this release is not rolled back; a baseline of this very release says nothing."""
    outcomes = {"home": Outcome(before)} if before else {}
    verdict = decide(evidence(failed(), baseline=Baseline(release_before, outcomes)))
    assert (verdict.conclusion, verdict.reason, verdict.action) == (Conclusion.FAIL, reason, action)


def test_old_and_new_failures() -> None:
    """One new failure among old ones rolls back, and gives the reason."""
    baseline = Baseline("r1", {"old": Outcome.FAILED, "new": Outcome.PASSED})
    verdict = decide(evidence(failed("old"), failed("new"), baseline=baseline))
    assert (verdict.reason, verdict.action) == (Reason.NEWLY_BROKEN, Action.ROLLBACK)


def test_spacing_is_met_exactly() -> None:
    """Attempts that are exactly as far apart as asked, less the tolerance, confirm each other."""
    exact = Policy(confirm=Confirmation(2, 1.05))
    apart = {seconds: result("home", "failed", "failed", attempts=(attempt("failed"), attempt("failed", seconds)))
             for seconds in (1.0, 0.9)}  # fmt: skip
    assert decided(apart[1.0], policy=exact) == ROLLBACK
    assert decided(apart[0.9], policy=exact) == INCONCLUSIVE


def test_silence_of_a_service_that_was_never_asked_by_a_check() -> None:
    """What blocked everything from the start is down if something of the target answered since the run began."""
    states = services(down(code="connect_timeout"), up("api"))
    assert decided(blocked(), services=states, release=release(last={})) == ROLLBACK


def test_only_causes_of_failures_that_count_are_told() -> None:
    """A summary speaks of the causes of what failed the run, not of those of a warning."""
    other = (Finding("mismatch", "title", "a", "b"),)
    minor = result(
        "minor", "failed", attempts=(attempt("failed", findings=other), attempt("failed", 2, findings=other))
    )
    run = evidence(failed("a"), minor, plan=(plan("a"), plan("minor", "minor")))
    assert decide(run).summary == "1 check failed, one cause: status: expected 200, got 404"


def test_summaries() -> None:
    """The summary counts checks and causes, and says if it was so before."""
    other = failed("b", attempts=(unheard("http_500"), unheard("http_500", 2)))
    verdict = decide(evidence(failed("a"), other))
    assert verdict.summary.startswith("2 checks failed, 2 causes; first: service web: answers HTTP 500")
    known = decide(evidence(failed(), baseline=Baseline("r1", {"home": Outcome.FAILED})))
    assert known.summary == "1 check failed, as before this release, one cause: status: expected 200, got 404"


@pytest.mark.parametrize("changes", [{"narrowed_by": ("-k",)}, {"finished": False}, {"pytest_exit": 0}])
def test_incomplete_but_solid(changes: dict[str, Any]) -> None:
    """A confirmed failure needs no complete run."""
    assert decided(failed(), **changes) == ROLLBACK


def test_unplanned_failure() -> None:
    """A failure of a check that nobody planned is no reason to roll back, and no reason to pass."""
    run = evidence(passed(), results={each.check_id: each for each in (passed(), failed("stranger"))}, pytest_exit=1)
    verdict = decide(run)
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.INTERNAL_ERROR)
    assert verdict.summary == "a result came for a check that nobody planned: stranger"


def test_a_failure_after_one_in_quarantine() -> None:
    """A check whose failure does not count hides none that comes after it."""
    known = plan("a", quarantine=Quarantine("web", "2999-01-01", "ticket 1"))
    run = evidence(failed("a"), failed("b"), plan=(known, plan("b")))
    assert decide(run).conclusion is Conclusion.FAIL
