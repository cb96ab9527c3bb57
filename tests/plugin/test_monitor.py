from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

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
    run = project.run("--monitor", "--history=off")
    run.require(0, "all_required_passed")
    assert " PASS =" in run.out, "nothing is to be promoted"
    assert not (project.path / "history.sqlite3").exists()


def test_no_part_of_a_run(project: Project) -> None:
    """A part of a run cannot say how a target is."""
    project.suite(SUITE)
    assert "--monitor says how a target is" in project.run("--monitor", "--shard=1/2").err


MORE = """\
heartbeat: "{url}/ok/heartbeat"
notify: {{team: {{webhook: "{url}/ok/hook"}}}}
alerts: {{after: 2 of 2, recovery: 1, blind: 2}}
"""


def monitor(project: Project) -> dict[str, Any]:
    """How the target is as its monitor knows it."""
    document: dict[str, Any] = json.loads((project.reports / "monitor.json").read_text())
    return document


def test_alerts(both: Project) -> None:
    """The second failure is told, and the first pass; each run says that the monitor lives, and how the target is."""
    assert both.peer is not None
    both.target(MORE.format(url=both.url))
    both.suite(BROKEN)
    told = []
    for number in range(3):
        both.run("--monitor", f"--run-id=run-{number}").require(10, "confirmed_failure")
        told.append(both.peer.asked("/ok/hook"))
    assert told == [0, 1, 1]
    found = monitor(both)
    assert [(each["kind"], each["id"], each["runs"]) for each in found["alerts"]] == [("outage", "run-1", 3)]
    assert list(found["alerts"][0]["checks"].values()) == ["broken"]
    assert (found["run"]["id"], found["streaks"]["failed"], found["state"]) == ("run-2", 3, "history")
    both.suite(BROKEN.replace("/bad", "/ok"))
    both.run("--monitor").require(0, "all_required_passed")
    assert (both.peer.asked("/ok/hook"), both.peer.asked("/ok/heartbeat"), monitor(both)["alerts"]) == (2, 4, [])


def test_a_target_that_is_down(project: Project) -> None:
    """A target of which nothing answers is an outage, though nobody could tell after a deploy that it was there."""
    project.suite(SUITE)
    project.run("--monitor", target="elsewhere").require(10, "target_not_live")
    found = monitor(project)
    assert (found["streaks"]["failed"], found["run"]["verdict"]) == (1, "fail")
    assert list(found["run"]["checks"].values()) == ["works"]


def test_a_configuration_that_is_wrong(project: Project) -> None:
    """That nobody can tell how a target is, is told too, however early a run ends."""
    assert project.peer is not None
    project.target(MORE.format(url=project.url))
    project.suite("- {name: works, gett: api:/ok, expect: {status: 200}}\n")
    for _ in range(2):
        project.run("--monitor").require(4, "config_error")
    assert project.peer.asked("/ok/hook") == 1
    assert [each["kind"] for each in monitor(project)["alerts"]] == ["blind"]


def test_a_deploy_mutes(project: Project) -> None:
    """While the history says that a run after a deploy has just ended, nobody is told."""
    assert project.peer is not None
    project.target(
        MORE.format(url=project.url)
        + "release: {from: 'api:/ok/build', json: $.release, within: 1s, consecutive: 1, interval: 20ms}\n"
    )
    project.peer.release = "r2"
    project.suite(BROKEN)
    project.run("--monitor").require(10, "confirmed_failure")
    project.run("--history=history.sqlite3", "--release=r2", "--run-id=deploy").require(20, "confirmed_failure")
    project.run("--monitor").require(10, "confirmed_failure")
    found = monitor(project)
    assert ([each["reason"] for each in found["mutes"]], found["alerts"]) == (["deploy deploy has just ended"], [])
    assert (project.peer.asked("/ok/hook"), found["release"]["id"]) == (0, "r2")
    with closing(sqlite3.connect(project.path / "history.sqlite3")) as connection:
        assert connection.execute("SELECT run_id FROM deploys").fetchall() == [("deploy",)]


def test_a_history_that_is_away(project: Project) -> None:
    """Outages are told without a history, and what goes wrong is said; the verdict is what it was."""
    assert project.peer is not None
    project.target(MORE.format(url=project.url))
    project.suite(BROKEN)
    (project.path / "history.sqlite3").write_text("this is no database " * 99)
    for _ in range(2):
        run = project.run("--monitor")
        run.require(10, "confirmed_failure")
    assert "alerts are kept by this machine alone for now" in run.err
    assert (project.peer.asked("/ok/hook"), monitor(project)["state"]) == (1, "local")
