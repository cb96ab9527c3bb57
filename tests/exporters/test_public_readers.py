"""What others read our reports with: schemas and tools, each as its makers publish it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from postdeploy.exporters import ctrf, junit, markdown, prometheus
from tests.exporters.conftest import nothing

RUNS = ("good", "bad", "hostile", "unfinished", "large")

_SUITE: Final = {"name", "tests", "failures", "errors"}
_JUNIT: Final[Mapping[str, tuple[set[str], set[str], set[str]]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors", "skipped*"}, {"testsuite"}),
    "testsuite": (_SUITE, {"time", "skipped", "timestamp", "hostname", "file"}, {"properties", "testcase"}),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname", "file*", "line*"},
        {
            "skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "system-out",
            "properties*",
        },
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "flakyFailure": ({"type"}, {"message"}, set()),
    "flakyError": ({"type"}, {"message"}, set()),
    "rerunFailure": ({"type"}, {"message"}, set()),
    "rerunError": ({"type"}, {"message"}, set()),
    "system-out": (set(), set(), set()),
}  # fmt: skip
"""By element: attributes that must be there, that may be, and children. With a star: our extensions of the schema."""


@pytest.fixture
def document(request: pytest.FixtureRequest, run: str) -> dict[str, Any]:
    """The run."""
    found: dict[str, Any] = request.getfixturevalue(run)
    return found


@pytest.mark.parametrize("run", RUNS)
def test_junit_is_read_strictly(document: dict[str, Any]) -> None:
    """Elements, attributes and times are those of Jenkins's schema, and no more than the extensions that we name."""
    root = ET.fromstring(junit.render(document, nothing))
    assert root.tag == "testsuites"
    for element in root.iter():
        required, allowed, children = _JUNIT[element.tag]
        allowed = required | {name.rstrip("*") for name in allowed}
        assert required <= set(element.keys()) <= allowed, (element.tag, element.attrib)
        assert {child.tag for child in element} <= {name.rstrip("*") for name in children}, element.tag
        assert re.fullmatch(r"\d*(\.\d*)?", element.get("time", "0"))
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(name, "")) == sum(case.find(tag) is not None for case in cases)
    assert int(root.get("tests", "")) == len(root.findall("*/testcase"))


@pytest.mark.parametrize("run", RUNS)
def test_ctrf_fits_its_schema(document: dict[str, Any], report_tools: Path) -> None:
    """The schema of the package that its makers publish."""
    (place,) = (report_tools / "node_modules/ctrf/dist").glob("ctrf-schema-*.json")
    report = json.loads(ctrf.render(document, nothing))
    jsonschema.Draft7Validator(json.loads(place.read_text())).validate(report)


@pytest.mark.parametrize("run", RUNS)
def test_promtool_has_no_complaint(document: dict[str, Any], report_tools: Path) -> None:
    """Prometheus's own linter of metrics."""
    command = [str(report_tools / "promtool"), "check", "metrics"]
    text = prometheus.render(document, nothing)
    checked = subprocess.run(command, input=text, capture_output=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_summary_is_never_dropped(hostile: dict[str, Any]) -> None:
    """GitHub drops a summary of more than 1 MiB whole: ten thousand hostile failures stay below."""
    check = hostile["checks"][0]
    check["name"] = check["name"] * 10
    hostile["checks"] = [{**check, "id": str(number)} for number in range(10_000)]
    hostile["causes"] = hostile["causes"] * 10_000
    hostile["warnings"] = [check["name"] * 100] * 10_000
    hostile["summary"] = check["name"] * 1000
    assert len(markdown.render(hostile, nothing)) < 1024 * 1024
