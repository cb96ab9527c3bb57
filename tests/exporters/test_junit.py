from __future__ import annotations

import io
from typing import Any
from xml.etree import ElementTree as ET

from junitparser import Error, Failure, JUnitXml, Skipped

from postdeploy.exporters.junit import render
from tests.exporters.conftest import nothing


def read(document: dict[str, Any]) -> JUnitXml:
    """As another tool reads it."""
    return JUnitXml.fromfile(io.BytesIO(render(document, nothing)))


def test_counts_are_those_of_the_cases(bad: dict[str, Any]) -> None:
    """A check is one case however often it was attempted, and the counts of suites and of the whole agree."""
    report = read(bad)
    cases = [case for suite in report for case in suite]
    results = [type(result) for case in cases for result in case.result if type(result) in {Failure, Error, Skipped}]
    assert [case.name for case in cases] == [
        "home", "flaky", "broken", "down", "left out", "late", "fine", "deadline_exceeded",
    ]  # fmt: skip
    assert (report.tests, report.failures, report.errors, report.skipped) == (8, 1, 3, 2)
    assert (results.count(Failure), results.count(Error), results.count(Skipped)) == (1, 3, 2)


def test_a_flaky_check_passes_and_says_so(bad: dict[str, Any]) -> None:
    """The failing attempt of a check that passed in the end is no failure, and is there."""
    root = ET.fromstring(render(bad, nothing))
    (case,) = (case for case in root.iter("testcase") if case.get("name") == "flaky")
    assert [element.tag for element in case] == ["properties", "flakyFailure"]
    assert ("flaky", "true") in [(one.get("name"), one.get("value")) for one in case.iter("property")]


def test_a_failure_says_where_and_why(bad: dict[str, Any]) -> None:
    """File, line, message, the command that repeats it, and what was kept stand at the case."""
    root = ET.fromstring(render(bad, nothing))
    (case,) = (case for case in root.iter("testcase") if case.get("name") == "home")
    failure, output = case.find("failure"), case.find("system-out")
    assert (case.get("file"), case.get("line")) == ("suites/api.yaml", "1")
    assert failure is not None
    assert failure.get("message") == "status: expected 200, got 404"
    assert output is not None
    assert (output.text or "").splitlines()[0] == "curl -sS https://web.test/"
    assert "[[ATTACHMENT|evidence/home/attempt-1/screenshot.png]]" in (output.text or "")


def test_the_decision_is_a_property(bad: dict[str, Any]) -> None:
    """A reader of JUnit can find the verdict."""
    properties = {one.get("name"): one.get("value") for one in ET.fromstring(render(bad, nothing)).iter("property")}
    assert properties["postdeploy.verdict"] == bad["verdict"]
    assert properties["postdeploy.action"] == bad["action"]


def test_hostile_text_stays_text(hostile: dict[str, Any]) -> None:
    """Markup, control characters and lone surrogates of a target can neither break the file nor be lost."""
    root = ET.fromstring(render(hostile, nothing))
    (failure,) = root.iter("failure")
    assert "<script>alert(1)</script> \\x1b[2J \\u202e \\udcff" in (failure.text or "")
