from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.plugin.conftest import Project

SUITE = "- {name: works, get: api:/ok, expect: {status: 200}}\n"


def rows(path: Path) -> list[tuple[str, str]]:
    """What a history says of its runs."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT run_id, verdict FROM runs ORDER BY run_no").fetchall()
    connection.close()
    return found


def test_a_run_is_remembered(both: Project) -> None:
    """With --history a run is in the file when it ends; without, nothing is written anywhere."""
    both.suite(SUITE)
    both.run("--history=memory.db", "--run-id=one").require(0, "all_required_passed")
    both.run("--run-id=two").require(0, "all_required_passed")
    assert rows(both.path / "memory.db") == [("one", "pass")]


def test_where_targets_yaml_says(project: Project) -> None:
    """The key history names a file beside targets.yaml; the option replaces it, and off turns it off."""
    project.suite(SUITE + "- {name: broken, get: api:/bad, expect: {status: 200}}\n")
    with (project.path / "targets.yaml").open("a") as file:
        file.write("history: {place: kept/runs.db, days: 30}\n")
    project.run("--run-id=one").require(20, "confirmed_failure")
    project.run("--run-id=two", "--history=off").require(20, "confirmed_failure")
    assert rows(project.path / "kept" / "runs.db") == [("one", "fail")]


def test_environment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable names a place, too."""
    project.suite(SUITE)
    monkeypatch.setenv("POSTDEPLOY_HISTORY", "sqlite:env.db")
    project.run("--run-id=one").require(0, "all_required_passed")
    assert rows(project.path / "env.db") == [("one", "pass")]


def test_what_cannot_be_written_changes_nothing(project: Project) -> None:
    """A history that is none neither changes the verdict nor loses the run: it is told, and waits."""
    project.suite(SUITE)
    (project.path / "memory.db").write_text("this is no database " * 99)
    run = project.run("--history=memory.db", "--run-id=one")
    run.require(0, "all_required_passed")
    assert "this run is not in the history yet" in run.err
    assert "postdeploy history import" in run.err
    assert (project.reports / "unrecorded" / "one.json").exists()
    (project.path / "memory.db").unlink()
    project.run("--history=memory.db", "--run-id=two").require(0, "all_required_passed")
    assert rows(project.path / "memory.db") == [("two", "pass"), ("one", "pass")]
    assert not list((project.reports / "unrecorded").iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [("history: 'mysql://a/b'", "no place of a history"), ("history: {days: 3}", "'place' is missing"),
     ("history: '${NO_SUCH_PLACE}'", "variable 'NO_SUCH_PLACE' is not set"),
     ("history: {place: a, days: 500}", "sums for a shorter time")],
)  # fmt: skip
def test_wrong_places(project: Project, text: str, said: str) -> None:
    """A history that cannot be is an error of the configuration."""
    project.suite(SUITE)
    with (project.path / "targets.yaml").open("a") as file:
        file.write(text + "\n")
    run = project.run()
    assert run.status == 4
    assert said in run.out + run.err
