from __future__ import annotations

from tests.plugin.conftest import Project
from tests.plugin.test_history import rows

SUITE = "- {name: works, get: api:/ok, expect: {status: 200}}\n"
BROKEN = "- {name: broken, get: api:/bad, expect: {status: 200}}\n"


def test_a_scheduled_run(both: Project) -> None:
    """It says what it is, holds where a run after a deploy rolls back, and is remembered without being told to."""
    both.suite(SUITE + BROKEN)
    run = both.run("--monitor", "--run-id=one")
    run.require(10, "confirmed_failure")
    assert (run.verdict["run"]["mode"], run.verdict["verdict"], run.verdict["action"]) == ("monitor", "fail", "hold")
    assert rows(both.path / "history.sqlite3") == [("one", "fail")]


def test_all_is_well(project: Project) -> None:
    """Status 0 where everything passed; off keeps nothing."""
    project.suite(SUITE)
    project.run("--monitor", "--history=off").require(0, "all_required_passed")
    assert not (project.path / "history.sqlite3").exists()


def test_no_part_of_a_run(project: Project) -> None:
    """A part of a run cannot say how a target is."""
    project.suite(SUITE)
    assert "--monitor says how a target is" in project.run("--monitor", "--shard=1/2").err
