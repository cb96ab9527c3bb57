"""A run of one place where several are asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.policy import Policy
from postdeploy.domain.verdict import exit_status
from tests.domain.builders import evidence, failed, passed

_SEVERAL = Policy(vantages=("eu", "us"))
_ONE = Policy(vantages=("eu",))


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


def test_checks_of_elsewhere() -> None:
    """A check that belongs to another place is not proven by passing it over."""
    run = evidence(passed())
    pinned = replace(run, plan=tuple(replace(check, vantages=("ap",)) for check in run.plan))
    assert decide(pinned).action == "hold"
    assert decide(_of(pinned, vantage="ap")).action == "promote"


def test_the_only_vantage() -> None:
    """Where one place is asked for, its run decides."""
    assert decide(_of(evidence(passed()), vantage="eu"), _ONE).action == "promote"


def test_a_monitor() -> None:
    """A scheduled run decides about no deploy anyway, and ends with 0 where all is well."""
    assert exit_status(decide(_of(evidence(passed()), mode="monitor"), _SEVERAL)) == 0
