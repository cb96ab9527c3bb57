from __future__ import annotations

from dataclasses import replace

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.mode import Mode, mode_of
from postdeploy.domain.verdict import exit_status
from tests.domain.builders import evidence, failed, passed, policy


@pytest.mark.parametrize(("mode", "action", "status"), [("gate", "rollback", 20), ("monitor", "hold", 10)])
def test_a_failure(mode: str, action: str, status: int) -> None:
    """Only after a deploy is anything rolled back: on a schedule nobody has deployed."""
    run = evidence(failed())
    verdict = decide(replace(run, run={**run.run, "mode": mode}))
    assert (verdict.conclusion, verdict.reason) == (decide(run).conclusion, decide(run).reason)
    assert (verdict.action, exit_status(verdict)) == (action, status)


def test_a_pass() -> None:
    """A scheduled run that found everything well says so with status 0."""
    run = evidence(passed())
    assert exit_status(decide(replace(run, run={**run.run, "mode": "monitor"}))) == 0


def test_another_policy() -> None:
    """Nor does another policy make a scheduled run roll back."""
    run = evidence(failed())
    verdict = decide(replace(run, run={**run.run, "mode": "monitor"}), policy(critical="rollback"))
    assert verdict.action == "hold"


def test_old_journals() -> None:
    """A journal that says no mode is of a run after a deploy."""
    assert mode_of({}) == Mode.GATE
