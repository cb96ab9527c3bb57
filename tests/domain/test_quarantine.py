from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import PlannedCheck, fold
from postdeploy.domain.policy import Policy
from postdeploy.domain.quarantine import Quarantine, is_day
from postdeploy.domain.result import CheckResult, Outcome
from tests.domain.builders import BEGIN, blocked, down, evidence, failed, passed, plan, records, result, services

HOLDS = Quarantine("web", "1970-01-13", "issue 7")  # BEGIN is on the 12th
OVER = Quarantine("web", "1970-01-12", "issue 7")


def verdict(of: CheckResult, entry: Quarantine | None = HOLDS, **changes: Any) -> tuple[str, str, tuple[str, ...]]:
    """What follows for a run of one sound check, and of one that may be in quarantine."""
    checks = (plan("sound"), plan(of.check_id, quarantine=entry))
    found = decide(evidence(passed("sound"), of, **{"plan": checks} | changes))
    return found.conclusion.value, found.reason.value, found.warnings


def test_a_failure_in_quarantine_is_a_warning() -> None:
    """It is told, with who mends it and why, and neither fails the run nor keeps it from passing."""
    assert verdict(failed()) == (
        "pass", "passed_with_warnings", ("in quarantine until 1970-01-13: home failed (owner: web; issue 7)",),
    )  # fmt: skip


def test_a_check_that_passes_in_quarantine_is_no_news() -> None:
    """Nothing was kept from counting."""
    assert verdict(passed("home")) == ("pass", "all_required_passed", ())


def test_it_turns_red_again() -> None:
    """From the day on it counts, and that the quarantine is over is told even if the check passes."""
    told = "the quarantine of home ended on 1970-01-12; it counts again (owner: web)"
    assert verdict(failed(), OVER) == ("fail", "confirmed_failure", (told,))
    assert verdict(passed("home"), OVER) == ("pass", "passed_with_warnings", (told,))


@pytest.mark.parametrize(
    "of",
    [CheckResult("home", Outcome.NOT_RUN), CheckResult("home", Outcome.SKIPPED, reason="later"),
     result("home", "errored"), CheckResult("home", Outcome.FAILED)],
)  # fmt: skip
def test_it_hides_nothing_else(of: CheckResult) -> None:
    """What did not run, was skipped, could not be told, or failed without an attempt is missing as ever."""
    assert verdict(of)[:2] == ("inconclusive", "required_check_not_proven")


def test_a_service_that_is_down_counts() -> None:
    """A check that its service blocked says something of the service, which is in no quarantine."""
    states = services(down("web"))
    assert verdict(blocked(), services=states | {"api": down("api")} | {"api": states["web"]})[0] == "fail"


def test_nothing_but_quarantines_is_no_proof() -> None:
    """A run in which every required check is excused proves nothing."""
    found = decide(evidence(failed(), plan=(plan("home", quarantine=HOLDS),)))
    assert (found.conclusion, found.reason) == ("inconclusive", "nothing_selected")


def test_flaky_passes_in_quarantine_use_up_nothing() -> None:
    """They are told, and do not count against how many the policy allows."""
    of = result("home", "failed", "passed")
    assert verdict(of, policy=Policy(flaky=0))[:2] == ("pass", "passed_with_warnings")
    assert verdict(of, None, policy=Policy(flaky=0))[:2] == ("inconclusive", "flaky_unresolved")


def test_journal() -> None:
    """A quarantine comes back from the journal; a check without one says nothing of it."""
    run = evidence(passed("a"), passed("b"), plan=(plan("a", quarantine=HOLDS), plan("b")))
    assert fold(records(run)).plan == run.plan
    assert "quarantine" not in run.plan[1].to_json()
    with pytest.raises(ValueError, match="expected a day"):
        PlannedCheck.from_json(plan("a").to_json() | {"quarantine": HOLDS.to_json() | {"until": "soon"}})


@pytest.mark.parametrize(
    ("text", "fits"),
    [("2026-12-01", True), ("2026-02-29", False), ("2026-1-2", False), ("20261201", False), ("", False)],
)
def test_days(text: str, fits: bool) -> None:
    """A day is written in one way, and exists."""
    assert is_day(text) is fits


def test_begin() -> None:
    """The runs of these tests begin on the day that they say."""
    assert datetime.fromtimestamp(BEGIN, UTC).strftime("%Y-%m-%d") == "1970-01-12"
