"""pytest's own options and other people's plugins work as everywhere."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project

    TempPaths = pytest.TempPathFactory

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"
BAD = "- {name: bad, get: 'api:/bad', expect: {status: 200}}"
TESTS = """
    def test_good(api):
        assert api.get("/ok").status_code == 200
"""


@pytest.fixture
def good(project: Project) -> Project:
    """A project that passes."""
    project.suite(GOOD)
    project.tests(TESTS)
    return project


def test_collecting_only_prints_items_and_touches_no_report(good: Project, peer: Peer) -> None:
    """--collect-only sends nothing, writes nothing, leaves an older verdict alone, and does not end like a pass."""
    good.reports.mkdir()
    (good.reports / "verdict.json").write_text("older")
    run = good.run("--collect-only", "-q")
    assert run.status == 10
    assert "nothing was verified" in run.err
    assert "suites/checks.yaml::good" in run.out
    assert "suites/test_it.py::test_good" in run.out
    assert peer.seen == []
    assert [path.name for path in good.reports.iterdir()] == ["verdict.json"]
    assert (good.reports / "verdict.json").read_text() == "older"


def test_a_folder_that_pytest_takes_for_tests_is_told(good: Project, peer: Peer, tmp_path_factory: TempPaths) -> None:
    """An option of ours in two words, whose folder is there, would move the root folder away from the project."""
    folder = tmp_path_factory.mktemp("elsewhere")
    run = good.run("--reports", str(folder))
    assert run.status == 4
    assert f"--reports {folder}: pytest took it for tests" in run.err
    assert f"write --reports={folder} in one word, or say --rootdir" in run.err
    assert peer.seen == []


def test_setup_plan_sends_nothing(good: Project, peer: Peer) -> None:
    """--setup-plan shows fixtures, and neither passes nor sends."""
    run = good.run("--setup-plan")
    assert run.status == 10
    assert peer.seen == []


def test_verbose_output_names_each_check(both: Project) -> None:
    """-v prints a line for each check, declared ones too."""
    both.suite(f"{GOOD}\n{BAD}")
    run = both.run("-v")
    assert "suites/checks.yaml::good" in run.out
    assert "FAILED" in run.out


def test_the_short_summary_lists_declared_failures(both: Project) -> None:
    """-ra lists them although FAILURES leaves them to our summary."""
    both.suite(f"{GOOD}\n{BAD}")
    both.tests("def test_bad(api):\n    assert api.get('/bad').status_code == 200\n")
    run = both.run("-ra")
    assert "FAILED suites/checks.yaml::bad" in run.out
    assert "FAILED suites/test_it.py::test_bad" in run.out
    failures = run.out.split("= FAILURES =")[1].split("short test summary")[0]
    assert "test_bad" in failures
    assert "checks.yaml" not in failures


def test_durations_are_those_of_the_probe(project: Project) -> None:
    """--durations tells how long the target took, not how long an item waited for its turn."""
    project.suite("- {name: quick, get: 'api:/ok', expect: {status: 200}}")
    project.tests("""
        import time

        def test_sleeps(evidence):
            evidence("slept")
            time.sleep(1)
    """)
    project.suite("- {name: takes its time, get: 'api:/slow/0.7', expect: {status: 200}}", "slow.yaml")
    run = project.run("--durations=0", "--durations-min=0.3", "-vv")
    line = next(line for line in run.out.splitlines() if "call" in line and "takes its time" in line)
    assert 0.69 < float(line.split("s ")[0]) < 3


def test_junit_has_every_check(both: Project) -> None:
    """--junitxml has names, files and counts of declared and Python checks."""
    both.suite(f"{GOOD}\n{BAD}")
    both.tests(TESTS)
    both.run("--junitxml=junit.xml")
    suite = ET.parse(both.path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    assert {case.get("name") for case in suite} == {"good", "bad", "test_good"}


def test_allure_has_a_result_for_each_check(both: Project) -> None:
    """--alluredir gets one result for every check."""
    both.suite(f"{GOOD}\n{BAD}")
    both.tests(TESTS)
    run = both.run("-p", "allure_pytest", "--alluredir=allure")
    results = [json.loads(path.read_text()) for path in (both.path / "allure").glob("*-result.json")]
    assert {(each["name"], each["status"]) for each in results} == {
        ("good", "passed"), ("bad", "failed"), ("test_good", "passed"),
    }, run.out  # fmt: skip


@pytest.mark.parametrize("plugin", ["terminal", "xdist", "timeout", "cacheprovider", "rerunfailures", "junitxml"])
def test_each_other_plugin_may_be_missing(good: Project, plugin: str) -> None:
    """Nothing depends on a plugin that may be switched off."""
    good.run("-p", f"no:{plugin}").require(0, "all_required_passed")


def test_without_reruns_a_failing_test_is_not_confirmed(project: Project) -> None:
    """One failing attempt is not enough to roll back."""
    project.tests("def test_bad(api):\n    assert api.get('/bad').status_code == 200\n")
    project.run("-p", "no:rerunfailures").require(10, "required_check_not_proven")


def test_reruns_that_a_project_asks_for_are_its_own(project: Project) -> None:
    """--reruns is obeyed, and its attempts are kept."""
    project.tests("def test_bad(api):\n    assert api.get('/bad').status_code == 200\n")
    run = project.run("--reruns=2", "--reruns-delay=0.1")
    assert len(run.check("test_bad")["attempts"]) == 3
    run.require(20, "confirmed_failure")


def test_kinds_and_severities_are_marks(good: Project) -> None:
    """-m selects by kind and severity although strict markers are on."""
    run = good.run("-m", "api and critical", "--collect-only", "-q")
    assert "2 tests collected" in run.out
    run = good.run("-m", "ui or minor or major or health")
    assert run.status in {5, 10}


def test_playwrights_own_plugin_does_not_get_in_the_way(good: Project) -> None:
    """Its output folder may be ours, and nothing is deleted."""
    good.run("--output=reports", fast=False).require(0, "all_required_passed")
    assert (good.reports / "evidence.jsonl").exists()


@pytest.mark.parametrize(
    ("argument", "said", "unsaid"),
    [("-q", "bad", "postdeploy: target"), ("-qq", "bad", "postdeploy: target"), ("--tb=no", "FAIL", "reproduce"),
     ("--no-summary", "FAIL", "reproduce")],
)  # fmt: skip
def test_less_output_still_has_the_decision(project: Project, argument: str, said: str, unsaid: str) -> None:
    """However quiet, the verdict is said; details as pytest's own."""
    project.suite(f"{GOOD}\n{BAD}")
    run = project.run(argument)
    assert "FAIL → roll back" in run.out
    assert said in run.out
    assert unsaid not in run.out


def test_a_conftest_may_override_a_service(project: Project) -> None:
    """Client fixtures can be overridden where people are used to, at the root and below."""
    project.conftest("""
        @pytest.fixture
        def api(client):
            return "root", client("api")
    """)
    nested = project.path / "suites" / "inner"
    nested.mkdir()
    (nested / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef api(api):\n    return 'nested', api[1]\n"
    )
    (nested / "test_inner.py").write_text(
        "def test_inner(api):\n    assert api[0] == 'nested' and api[1].get('/ok').status_code == 200\n"
    )
    project.tests("def test_outer(api):\n    assert api[0] == 'root' and api[1].get('/ok').status_code == 200\n")
    project.run().require(0, "all_required_passed")
