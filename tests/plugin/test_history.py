from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.conftest import Outcome, Project

SUITE = "- {name: works, get: api:/ok, expect: {status: 200}}\n"


def rows(path: Path) -> list[tuple[str, str]]:
    """What a history says of its runs."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT run_id, verdict FROM runs ORDER BY run_no").fetchall()
    connection.close()
    return found


def test_a_run_is_remembered(project: Project) -> None:
    """With --history a run is in the file when it ends; without, nothing is written anywhere."""
    project.suite(SUITE)
    project.run("--history=memory.db", "--run-id=one").require(0, "all_required_passed")
    project.run("--run-id=two").require(0, "all_required_passed")
    assert rows(project.path / "memory.db") == [("one", "pass")]


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


def test_what_broke_before_is_no_reason_to_roll_back(project: Project) -> None:
    """The history is the baseline: a failure of the release before holds, a new one rolls back, and the gate agrees."""
    project.target("release: {from: 'api:/ok/build', json: $.release, within: 1s, consecutive: 1, interval: 20ms}\n")
    project.suite(SUITE + "- {name: old, get: api:/bad, expect: {status: 200}}\n")
    assert project.peer is not None
    project.peer.release = "r1"
    project.run("--history=h.db", "--release=r1").require(20, "confirmed_failure")
    project.peer.release = "r2"
    held = project.run("--history=h.db", "--release=r2", "--run-id=two")
    held.require(10, "already_broken")
    assert held.verdict["baseline"]["release"] == "r1"
    assert held.verdict["past"]["checks"] == 2
    gate = [sys.executable, "-m", "postdeploy", "gate", "--target=local", "--release=r2", "--run-id=two"]
    assert subprocess.run(gate, cwd=project.path, check=False).returncode == 10
    project.peer.release = "r3"
    project.suite("- {name: works, get: api:/bad, expect: {status: 200}}\n")
    new = project.run("--history=h.db", "--release=r3")
    new.require(20, "newly_broken")
    assert any("1 check fewer than in the last run" in text for text in new.verdict["warnings"])


def test_no_memory_without_a_file(project: Project) -> None:
    """The first run has nothing to compare with, and says nothing of it."""
    project.suite(SUITE)
    run = project.run("--history=h.db")
    assert (run.verdict["past"], run.verdict["baseline"], run.verdict["warnings"]) == (None, None, [])


def test_quarantine(both: Project) -> None:
    """A failure in quarantine is a warning, in YAML and in Python, until its day has come."""
    both.suite("""
        - {name: works, get: api:/ok, expect: {status: 200}}
        - name: known
          get: api:/bad
          expect: {status: 200}
          quarantine: {owner: web, until: 2099-01-01, reason: issue 7}
    """)
    both.tests("""
        @pytest.mark.check(quarantine={"owner": "api", "until": "2099-01-01", "reason": "issue 8"})
        def test_known(api):
            assert api.get("/bad").status_code == 200
    """)
    run = both.run("--history=h.db")
    run.require(0, "passed_with_warnings")
    assert [text for text in run.verdict["warnings"] if text.startswith("in quarantine")] == [
        "in quarantine until 2099-01-01: known failed (owner: web; issue 7)",
        "in quarantine until 2099-01-01: test_known failed (owner: api; issue 8)",
    ]


def test_quarantine_that_is_over(project: Project) -> None:
    """It turns red again."""
    entry = "{owner: web, until: 2020-01-01, reason: issue 7}"
    project.suite(f"- {{name: known, get: api:/bad, expect: {{status: 200}}, quarantine: {entry}}}\n")
    run = project.run()
    run.require(20, "confirmed_failure")
    assert run.verdict["warnings"] == ["the quarantine of known ended on 2020-01-01; it counts again (owner: web)"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [("{owner: web, until: soon, reason: x}", "takes a day such as 2026-12-01"), ("{owner: web, until: 2099-01-01}",
     "'reason' is missing"), ("yes", "takes a mapping")],
)  # fmt: skip
def test_wrong_quarantines(project: Project, entry: str, said: str) -> None:
    """A quarantine without an end, a reason or an owner is an error of the configuration."""
    project.suite(f"- {{name: a, get: api:/ok, expect: {{status: 200}}, quarantine: {entry}}}\n")
    run = project.run()
    assert run.verdict["verdict"] == "inconclusive"
    assert said in run.out + run.err


def test_wrong_marks(project: Project) -> None:
    """So it is in a mark."""
    project.tests('@pytest.mark.check(quarantine={"until": "soon"})\ndef test_it(api): pass\n')
    run = project.run()
    assert run.verdict["reason"] == "config_error"
    assert "quarantine takes a dict of 'owner', 'until' (YYYY-MM-DD) and 'reason'" in run.out + run.err


@pytest.mark.parametrize("password", ["s3cret-Wq81", "postgres"])
def test_no_password_is_written(project: Project, password: str) -> None:
    """The URL of a history stands among the arguments of the run, and nowhere in what it writes or says."""
    project.suite(SUITE)
    url = f"postgresql://checker:{password}@127.0.0.1:1/memory"
    run = project.run(f"--history={url}", "--run-id=one")
    run.require(0, "all_required_passed")
    assert "this run is not in the history yet: postgresql://checker:***@127.0.0.1:1/memory" in run.err
    written = [path.read_text(errors="replace") for path in project.reports.rglob("*") if path.is_file()]
    assert len(written) == 3
    assert not any(f":{password}@" in text for text in [*written, run.out, run.err])


_URL = "postgresql://checker:s3cret-Wq81@127.0.0.1:1/memory"


def _written(project: Project, run: Outcome) -> list[str]:
    """All that a run wrote and said."""
    return [*(path.read_text(errors="replace") for path in project.path.rglob("*") if path.is_file()), run.out, run.err]


def test_a_part_of_a_run_writes_no_password(both: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in no history, and masks the URL all the same, whatever its tests do with it."""
    both.tests("""
        import os, sys

        def test_tells(api):
            print(os.environ["POSTDEPLOY_HISTORY"], file=sys.stderr)
            assert api.get(f"/ok?{os.environ['POSTDEPLOY_HISTORY']}").status_code == 201, os.environ
    """)
    monkeypatch.setenv("POSTDEPLOY_HISTORY", _URL)
    run = both.run(f"--history={_URL}", "--shard=1/1", "--junitxml=j.xml", "--report=html,ctrf")
    run.require(20, "confirmed_failure")
    assert not any("s3cret-Wq81" in text for text in _written(both, run))


def test_a_run_that_is_refused_writes_no_password(project: Project) -> None:
    """It has not read yet where runs are remembered."""
    run = project.run(f"--history={_URL}", "--targets=nowhere.yaml")
    run.require(4, "config_error")
    assert "--history=postgresql://checker:***@127.0.0.1:1/memory" in run.verdict["run"]["argv"]
    assert not any("s3cret-Wq81" in text for text in _written(project, run))
