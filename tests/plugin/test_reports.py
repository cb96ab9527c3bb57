"""Reports that a run writes when it is asked to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

SUITE = """
    - {name: good, get: 'api:/ok', expect: {status: 200}}
    - {name: bad, get: 'api:/bad', expect: {status: 200}}
"""


def test_reports_are_written_after_the_seal(both: Project) -> None:
    """What was asked for is there, named by the verdict and on the terminal; the gate still believes the verdict."""
    both.suite(SUITE)
    run = both.run("--report=html,junit", "--report=ctrf")
    run.require(20, "confirmed_failure")
    assert run.verdict["reports"] == {"html": "report.html", "junit": "junit.xml", "ctrf": "ctrf.json"}
    assert {path.name for path in run.reports.iterdir()} >= {"report.html", "junit.xml", "ctrf.json"}
    assert json.loads((run.reports / "ctrf.json").read_text())["results"]["summary"]["failed"] == 1
    assert f"html: {run.reports / 'report.html'}" in run.out


def test_an_unknown_report_is_a_usage_error(project: Project) -> None:
    """Nothing is sent, and the nearest name is told."""
    project.suite(SUITE)
    run = project.run("--report=htlm")
    assert run.status == 4
    assert "--report: unknown format 'htlm' (did you mean 'html'?)" in run.err


def test_a_report_that_cannot_be_written_changes_nothing(project: Project) -> None:
    """A folder stands where the file should be: a warning, and the same exit status."""
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    (project.reports / "report.html").mkdir(parents=True)
    run = project.run("--report=html,junit")
    run.require(0, "all_required_passed")
    assert "warning: the html report could not be written" in run.out
    assert (run.reports / "junit.xml").is_file()


def test_junit_counts_a_test_once(both: Project) -> None:
    """With subtests, repetitions and phases that break: one case each, and counts that are those of the verdict."""
    both.tests("""
        def test_parts(api, subtests):
            for number in range(3):
                with subtests.test(number=number):
                    api.get("/ok")
                    assert number == 1

        def test_flaky(api):
            assert api.get("/flaky").status_code == 200

        def test_bad(api):
            assert api.get("/bad").status_code == 200

        @pytest.fixture
        def breaks_after(api):
            yield api
            raise OSError("teardown")

        def test_teardown(breaks_after):
            breaks_after.get("/ok")
    """)
    run = both.run("--reruns=1", "--report=junit")
    report = ET.parse(run.reports / "junit.xml").getroot()
    assert {case.get("name"): {child.tag for child in case} - {"properties", "system-out"}
            for case in report.iter("testcase")} == {
        "test_parts": {"failure", "rerunFailure"},
        "test_flaky": {"flakyFailure"},
        "test_bad": {"failure", "rerunFailure"},
        "test_teardown": {"error", "rerunError"},
    }  # fmt: skip
    assert [report.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "2", "1", "0"]
    assert len(list(report.iter("testcase"))) == run.verdict["counts"]["planned"] == 4
