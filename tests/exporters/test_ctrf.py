from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from postdeploy.exporters.ctrf import render
from tests.exporters.conftest import nothing


def read(document: dict[str, Any]) -> dict[str, Any]:
    """The report."""
    report: dict[str, Any] = json.loads(render(document, nothing))
    return report


def test_required_fields(bad: dict[str, Any]) -> None:
    """What the schema of the format requires is there, and summary and tests agree."""
    report = read(bad)
    results = report["results"]
    summary, statuses = results["summary"], [test["status"] for test in results["tests"]]
    assert (report["reportFormat"], report["specVersion"], results["tool"]["name"]) == ("CTRF", "1.0.0", "postdeploy")
    assert summary["tests"] == len(statuses) == sum(summary[name] for name in set(statuses))
    assert summary["stop"] - summary["start"] == 10_000
    assert all(test["name"] and test["duration"] >= 0 for test in results["tests"])
    ids = {check["name"]: str(uuid5(NAMESPACE_URL, check["id"])) for check in bad["checks"]}
    assert {test["name"]: test["id"] for test in results["tests"]} == ids


def test_outcomes(bad: dict[str, Any]) -> None:
    """Our outcomes are the format's where it has a word, and 'other' with the raw one where it has none."""
    tests = {test["name"]: (test["status"], test["rawStatus"], test["flaky"]) for test in read(bad)["results"]["tests"]}
    assert tests == {
        "home": ("failed", "failed", False),
        "flaky": ("passed", "passed", True),
        "broken": ("other", "errored", False),
        "down": ("other", "blocked", False),
        "left out": ("skipped", "skipped", False),
        "late": ("pending", "not_run", False),
        "fine": ("passed", "passed", False),
    }


def test_attempts(bad: dict[str, Any]) -> None:
    """All attempts of a repeated check are listed with what each one said."""
    (test,) = (test for test in read(bad)["results"]["tests"] if test["name"] == "flaky")
    assert test["retries"] == 1
    assert [attempt["status"] for attempt in test["retryAttempts"]] == ["failed", "passed"]
    assert test["retryAttempts"][0]["message"] == "status: expected 200, got 404"


def test_health_is_said_only_where_it_is_known(good: dict[str, Any], unfinished: dict[str, Any]) -> None:
    """A target is healthy after a pass; after a run that could not tell, nothing is said about it."""
    assert read(good)["results"]["environment"]["healthy"] is True
    assert "healthy" not in read(unfinished)["results"]["environment"]
