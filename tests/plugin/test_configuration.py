"""Wrong files and wrong options: everything is told with its place, and nothing is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"


def test_an_unknown_target_names_the_known_ones(project: Project, peer: Peer) -> None:
    """A mistyped target is refused with the targets there are, and a sealed verdict."""
    project.suite(GOOD)
    run = project.run(target="loca")
    run.require(4, "config_error")
    assert "did you mean 'local'" in run.err + run.out
    assert "elsewhere" in run.err + run.out
    assert peer.seen == []


def test_every_problem_of_every_suite_is_told_at_once(both: Project, peer: Peer) -> None:
    """Two bad files and their problems are all listed by file, line and column; a good file sends nothing."""
    both.suite("- {name: a, get: 'api:/ok', expct: {status: 200}}\n- {name: b, gett: 'api:/ok'}", "one.yaml")
    both.suite("- {name: c, get: 'nowhere:/ok', expect: {status: 200}}", "two.yaml")
    both.suite(GOOD)
    run = both.run()
    run.require(4, "config_error")
    for place in ("suites/one.yaml:2:", "suites/one.yaml:3:", "suites/two.yaml:2:"):
        assert place in run.out
    assert len([each for each in run.verdict["incidents"] if each["reason"] == "config_error"]) >= 3
    assert peer.seen == []


def test_a_wrong_targets_file_is_told_with_places(project: Project, peer: Peer) -> None:
    """Every problem of targets.yaml is listed."""
    (project.path / "targets.yaml").write_text("targets:\n  local:\n    servces: {}\n    acess: read\n")
    run = project.run()
    run.require(4, "config_error")
    assert "targets.yaml:3:5" in run.err
    assert "targets.yaml:4:5" in run.err
    assert peer.seen == []


def test_a_missing_secret_has_a_reason_of_its_own(project: Project, peer: Peer) -> None:
    """A variable that is not set is told by its name."""
    project.target("secrets: {token: '${NOT_SET_ANYWHERE}'}\n")
    project.suite(GOOD)
    run = project.run()
    run.require(4, "secret_missing")
    assert "NOT_SET_ANYWHERE" in run.err
    assert peer.seen == []


def test_an_id_may_be_taken_once(both: Project, peer: Peer) -> None:
    """The same id in two files is a problem that names both places."""
    both.suite("- {name: a, id: same, get: 'api:/ok', expect: {status: 200}}", "one.yaml")
    both.suite("- {name: b, id: same, get: 'api:/ok', expect: {status: 200}}", "two.yaml")
    run = both.run()
    run.require(4, "config_error")
    assert "suites/two.yaml:2:" in run.out
    assert "suites/one.yaml:2:" in run.out
    assert peer.seen == []


def test_all_wrong_marks_are_told_with_their_places(both: Project, peer: Peer) -> None:
    """A mark that cannot be is told with file, line and the nearest word."""
    both.tests("""
        @pytest.mark.check(severty="major")
        def test_key(api):
            pass

        @pytest.mark.check(severity="majr")
        def test_value(api):
            pass

        @pytest.mark.check("major")
        def test_positional(api):
            pass

        @pytest.mark.check(issue=["https://bugs.test/7", "SHOP-7"])
        def test_issue(api):
            pass
    """)
    run = both.run()
    run.require(4, "config_error")
    for text in ("test_it.py:3: the 'check' mark knows no 'severty' (did you mean 'severity'?)",
                 "test_it.py:7: severity 'majr' is none of critical, major, minor (did you mean 'major'?)",
                 "test_it.py:15: 'issue' takes the URL of an issue or a list of them, not ['https",
                 "test_it.py:11: the 'check' mark takes keyword arguments only"):  # fmt: skip
        assert text in run.out
    assert peer.seen == []


def test_a_test_file_that_cannot_be_imported_hides_checks(both: Project, peer: Peer) -> None:
    """An import error is no configuration error, but nothing runs and nothing is proven."""
    both.suite(GOOD)
    both.tests("import nothing_of_this_name\n")
    run = both.run()
    run.require(10, "required_check_missing")
    assert peer.seen == []


@pytest.mark.parametrize(
    ("argument", "said"),
    [("--deadline=soon", "--deadline"), ("--targets=none.yaml", "none.yaml"), ("--baseline=none.json", "none.json")],
)
def test_a_wrong_option_is_refused(project: Project, peer: Peer, argument: str, said: str) -> None:
    """What an option names must be there, before anything is sent."""
    project.suite(GOOD)
    run = project.run(argument)
    assert run.status == 4
    assert said in run.err
    assert peer.seen == []


def test_a_baseline_that_is_no_verdict_seals_a_config_error(project: Project) -> None:
    """The refusal is a verdict, too."""
    (project.path / "before.json").write_text("{}")
    project.run("--baseline=before.json").require(4, "config_error")


def test_an_older_verdict_does_not_survive_a_run_that_cannot_start(project: Project) -> None:
    """A conftest that cannot be imported leaves no pass of an earlier run behind."""
    project.suite(GOOD)
    project.run().require(0, "all_required_passed")
    project.conftest("raise RuntimeError('broken')\n")
    run = project.run()
    assert run.status not in {0, 20}
    assert not (project.reports / "verdict.json").exists()


def test_older_reports_do_not_survive(project: Project) -> None:
    """What says how the last run went goes before this one: reports are of this run, or they are not there."""
    project.suite(GOOD)
    project.run("--report=junit,allure").require(0, "all_required_passed")
    project.tests("import os\ndef test_dies(api): os._exit(0)\n")
    project.run("--report=junit,allure")
    assert {path.name for path in project.reports.iterdir()} == {"verdict.json", "evidence.jsonl"}


def test_a_wrong_configuration_is_reported(project: Project) -> None:
    """Reports are written of a run that was refused, too: who reads nothing else learns why."""
    project.target("acess: read-only\n")
    run = project.run("--report=junit,markdown")
    run.require(4, "config_error")
    assert "unknown key 'acess'" in (project.reports / "summary.md").read_text()
    assert "config_error" in (project.reports / "junit.xml").read_text()
    assert "postdeploy: junit: " in run.err


def test_optimised_python_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without asserts nothing would be verified."""
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    run = project.run()
    assert run.status == 4
    assert "asserts" in run.err


def test_every_worker_running_everything_is_refused(project: Project) -> None:
    """--dist=each would run each check many times."""
    run = project.run("-n1", "--dist=each")
    assert run.status == 4
    assert "--dist=each" in run.err


@pytest.mark.parametrize("before", ["failed", "passed"])
def test_a_baseline_tells_old_faults_from_new_ones(both: Project, before: str) -> None:
    """What failed before this release holds; what passed before rolls back."""
    both.suite("- {name: bad, id: bad, get: 'api:/bad', expect: {status: 200}}")
    old = {"state": "sealed", "release": {"expected": "r1"}, "checks": [{"id": "bad", "outcome": before}]}
    (both.path / "before.json").write_text(json.dumps(old))
    run = both.run("--baseline=before.json")
    if before == "failed":
        run.require(10, "already_broken")
    else:
        run.require(20, "newly_broken")
