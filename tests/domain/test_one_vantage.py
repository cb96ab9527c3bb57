"""A run of one place where several are asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.policy import Policy
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.verdict import exit_status
from tests.domain.builders import evidence, failed, passed

_SEVERAL = Policy(vantages=("eu", "us"))
_ONE = Policy(vantages=("eu",))
_ELSEWHERE = CheckResult("asia", Outcome.SKIPPED, reason="for vantage ap, this is none of them", by_policy=True)


def _of(run: Evidence, **facts: str) -> Evidence:
    return replace(run, run={**run.run, **facts})


@pytest.mark.parametrize("facts", [{}, {"vantage": "eu"}])
@pytest.mark.parametrize("run", [evidence(passed()), evidence(failed())], ids=["pass", "fail"])
def test_decides_nothing(run: Evidence, facts: dict[str, str]) -> None:
    """It neither promotes nor rolls back, and says which places are missing; what it saw is its conclusion."""
    verdict = decide(_of(run, **facts), _SEVERAL)
    assert (verdict.conclusion, verdict.action, exit_status(verdict)) == (decide(run).conclusion, "hold", 10)
    missing = "us" if facts else "eu, us"
    assert verdict.summary.endswith(f"; to decide it takes runs from {missing}, too, merged with this one")


def test_a_target_without_vantages() -> None:
    """Where no place is asked for, one run decides, also of a suite that other targets need several for."""
    run = evidence(passed(), _ELSEWHERE, pytest_exit=0)
    shared = replace(run, plan=(run.plan[0], replace(run.plan[1], vantages=("ap",))))
    assert decide(shared).action == "promote"


def test_nothing_but_checks_of_elsewhere() -> None:
    """What passes over every check has verified nothing."""
    run = evidence(_ELSEWHERE, pytest_exit=0)
    pinned = replace(run, plan=tuple(replace(check, vantages=("ap",)) for check in run.plan))
    assert (decide(pinned).conclusion, decide(pinned).action) == ("inconclusive", "hold")


def test_the_only_vantage() -> None:
    """Where one place is asked for, its run decides."""
    assert decide(_of(evidence(passed()), vantage="eu"), _ONE).action == "promote"


def test_a_monitor() -> None:
    """A scheduled run decides about no deploy anyway, and ends with 0 where all is well."""
    assert exit_status(decide(_of(evidence(passed()), mode="monitor"), _SEVERAL)) == 0
