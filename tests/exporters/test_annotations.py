from __future__ import annotations

from typing import Any

import pytest

from postdeploy.exporters.annotations import render
from tests.domain import builders as make
from tests.exporters.conftest import document_of, nothing


def lines(document: dict[str, Any]) -> list[str]:
    """The commands."""
    return render(document, nothing).decode().splitlines()


def test_a_pass_is_silent(good: dict[str, Any]) -> None:
    """Nothing is annotated where all is well."""
    assert lines(good) == []


def test_failures_stand_at_their_checks(bad: dict[str, Any]) -> None:
    """The decision first, then each failure at file and line."""
    first, second, *_ = lines(bad)
    assert first.startswith("::error title=FAIL%3A roll back::confirmed_failure: ")
    assert second == "::error file=suites/api.yaml,line=1,title=home::status: expected 200, got 404"


def test_no_more_than_github_keeps() -> None:
    """At most ten, whatever the run was like; the last one says how many there is no room for."""
    document = document_of(make.evidence(*[make.failed(f"c{n}") for n in range(40)]))
    document["warnings"] = ["careful"] * 30
    found = lines(document)
    assert [line.split(" ", 1)[0] for line in found] == ["::error"] * 10
    assert [line.split("title=", 1)[1].split("::")[0] for line in found[1:9]] == [f"c{n}" for n in range(8)]
    assert found[9] == "::error title=postdeploy::32 errors and 30 warnings more: see the job summary and the report"


@pytest.mark.parametrize(
    ("failed", "warnings", "last"),
    [
        (9, 0, "::error file=suites/api.yaml,line=1,title=c8::status: expected 200, got 404"),
        (5, 4, "::warning title=postdeploy::careful 3"),
        (5, 5, "::warning title=postdeploy::2 warnings more: see the job summary and the report"),
        (9, 1, "::error title=postdeploy::1 error and 1 warning more: see the job summary and the report"),
    ],
)
def test_errors_come_before_warnings(failed: int, warnings: int, last: str) -> None:
    """Ten are all told; of eleven the last two are counted."""
    document = document_of(make.evidence(*[make.failed(f"c{n}") for n in range(failed)]))
    document["warnings"] = [f"careful {n}" for n in range(warnings)]
    found = lines(document)
    assert len(found) == 10
    assert found[-1] == last


def test_a_check_cannot_add_commands(hostile: dict[str, Any]) -> None:
    """Line feeds, colons and commas of foreign text stay inside of one command."""
    assert [line.split(" ", 1)[0] for line in lines(hostile)] == ["::error", "::error"]
    assert "%0A%3A%3Aerror" in lines(hostile)[1]
