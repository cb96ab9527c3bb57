"""``--lock`` writes down which checks there are; a run misses the one that vanished."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"
TESTS = """
    @pytest.mark.parametrize("number", [1, 2])
    def test_good(api, number):
        assert api.get("/ok").status_code == 200
"""
IDS = ["suites/checks.yaml::good", "suites/test_it.py::test_good[1]", "suites/test_it.py::test_good[2]"]


def _write(project: Project) -> None:
    project.suite(GOOD)
    project.tests(TESTS)


@pytest.fixture
def good(project: Project) -> Project:
    """A project that passes."""
    _write(project)
    return project


def _locked(project: Project) -> list[str]:
    checks: list[str] = json.loads((project.path / "postdeploy.lock").read_bytes())["checks"]
    return checks


def test_writing(both: Project, peer: Peer) -> None:
    """All ids, sorted; nothing is sent and no report is touched; with workers on the command line as without."""
    _write(both)
    run = both.run("--lock=write")
    assert run.status == 0, run.out + run.err
    assert _locked(both) == IDS
    assert "locked 3 checks" in run.out
    assert peer.seen == []
    assert not both.reports.exists()


def test_comparing(good: Project) -> None:
    """An up-to-date lock ends with 0, a stale or missing one with 1, and nothing is written."""
    run = good.run("--lock=check")
    assert (run.status, (good.path / "postdeploy.lock").exists()) == (1, False)
    assert "there is no lock" in run.out
    good.run("--lock=write")
    assert good.run("--lock=check").status == 0
    good.suite(GOOD.replace("good", "better"))
    run = good.run("--lock=check")
    assert run.status == 1
    assert "- suites/checks.yaml::good" in run.out
    assert "+ suites/checks.yaml::better" in run.out
    assert _locked(good) == IDS


@pytest.mark.parametrize("arguments", [["-k", "checks"], ["suites/checks.yaml"], ["--only=good"]], ids=" ".join)
def test_a_part_is_not_locked(good: Project, arguments: list[str]) -> None:
    """A lock of a narrowed suite would hide what was left out."""
    run = good.run("--lock=write", *arguments)
    assert run.status == 4
    assert "the suite was narrowed by" in run.err
    assert not (good.path / "postdeploy.lock").exists()


def test_a_broken_suite_is_not_locked(good: Project) -> None:
    """What cannot be collected is not known."""
    good.tests("import nothing_of_that_name\n", "test_broken.py")
    run = good.run("--lock=write")
    assert run.status != 0
    assert not (good.path / "postdeploy.lock").exists()


def test_a_broken_lock_is_written_anew(good: Project) -> None:
    """Comparing with it is refused; writing mends it."""
    (good.path / "postdeploy.lock").write_text("<<<<<<< HEAD")
    run = good.run("--lock=check")
    assert run.status == 4
    assert "postdeploy.lock:1:1: not JSON" in run.err
    assert good.run("--lock=write").status == 0
    assert _locked(good) == IDS


def test_the_environment_cannot_lock_instead_of_running(good: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody typed may not end like a pass."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--lock=write")
    assert good.run().status == 10


def test_a_run_with_a_fresh_lock_passes(both: Project) -> None:
    """The verdict says that it was compared."""
    _write(both)
    both.run("--lock=write")
    run = both.run()
    run.require(0, "all_required_passed")
    assert run.verdict["lock"] == {"file": "postdeploy.lock", "checks": 3, "missing": [], "new": []}


def test_a_vanished_check_is_missed(both: Project) -> None:
    """However it vanished."""
    _write(both)
    both.run("--lock=write")
    both.tests(TESTS.replace("[1, 2]", "[1]"))
    run = both.run()
    run.require(10, "required_check_missing")
    assert "suites/test_it.py::test_good[2] is in postdeploy.lock" in run.verdict["summary"]
    assert run.verdict["lock"]["missing"] == ["suites/test_it.py::test_good[2]"]


def test_a_new_check_is_a_warning(good: Project) -> None:
    """It counts, and somebody should lock it."""
    good.run("--lock=write")
    good.tests("def test_new(api):\n    assert api.get('/ok').status_code == 200\n", "test_new.py")
    run = good.run()
    run.require(0, "passed_with_warnings")
    assert run.verdict["warnings"] == ["not in postdeploy.lock: suites/test_new.py::test_new; run: postdeploy lock"]


def test_a_lock_that_is_none_is_refused(good: Project, peer: Peer) -> None:
    """Before anything is sent."""
    (good.path / "postdeploy.lock").write_text("{}")
    good.run().require(4, "config_error")
    assert peer.seen == []
