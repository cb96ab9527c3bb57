from __future__ import annotations

from itertools import product

import pytest

from postdeploy.domain.cause import Cause
from postdeploy.domain.policy import Action
from postdeploy.domain.status import ExitStatus, status_of
from postdeploy.domain.verdict import Conclusion, Reason, Verdict, exit_status, inconclusive


@pytest.mark.parametrize(
    ("conclusion", "action", "reason", "status"),
    [
        ("pass", "promote", "all_required_passed", 0),
        ("pass", "promote", "passed_with_warnings", 0),
        ("fail", "rollback", "newly_broken", 20),
        ("fail", "rollback", "confirmed_failure", 20),
        ("fail", "hold", "already_broken", 10),
        ("fail", "hold", "interrupted", 10),
        ("inconclusive", "hold", "target_not_live", 10),
        ("inconclusive", "hold", "interrupted", 2),
        ("inconclusive", "hold", "internal_error", 3),
        ("inconclusive", "hold", "config_error", 4),
        ("inconclusive", "hold", "secret_missing", 4),
        ("inconclusive", "hold", "nothing_selected", 5),
    ],
)
def test_exit_status(conclusion: str, action: str, reason: str, status: int) -> None:
    """The exit status follows from the verdict; pytest's own words stay."""
    verdict = Verdict(Conclusion(conclusion), Reason(reason), Action(action), "so")
    assert exit_status(verdict) == status


@pytest.mark.parametrize(("conclusion", "action", "reason"), list(product(Conclusion, Action, Reason)))
def test_only_agreement_acts(conclusion: str, action: str, reason: str) -> None:
    """Only a pass that promotes is 0, only a failure that rolls back is 20, and nothing is ever 1."""
    status = status_of(conclusion, action, reason)
    assert (status == ExitStatus.PROMOTE) == ((conclusion, action) == ("pass", "promote"))
    assert (status == ExitStatus.ROLLBACK) == ((conclusion, action) == ("fail", "rollback"))
    assert status in {0, 2, 3, 4, 5, 10, 20}


def test_strange_words_hold() -> None:
    """Words that nobody knows hold."""
    assert status_of("PASS", "promote", "") == ExitStatus.HOLD
    assert status_of("inconclusive", "promote", "new_reason") == ExitStatus.HOLD


@pytest.mark.parametrize("reason", Reason)
def test_inconclusive_holds(reason: Reason) -> None:
    """Whatever the reason, not being able to tell means hold."""
    assert inconclusive(reason, "why", ()).action is Action.HOLD


def test_inconclusive_says_all_it_is_given() -> None:
    """People read why, what it was about, and what else there was."""
    cause = Cause("c1", "web is down", ("home",))
    assert inconclusive(Reason.INTERRUPTED, "why", (cause,), ("flaky",)) == Verdict(
        Conclusion.INCONCLUSIVE, Reason.INTERRUPTED, Action.HOLD, "why", ("flaky",), (cause,)
    )
