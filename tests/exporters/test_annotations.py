from __future__ import annotations

from typing import Any

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
    """At most ten errors and ten warnings, whatever the run was like."""
    document = document_of(make.evidence(*[make.failed(f"c{n}") for n in range(40)]))
    document["warnings"] = ["careful"] * 30
    kinds = [line.split(" ", 1)[0] for line in lines(document)]
    assert kinds == ["::error"] * 10 + ["::warning"] * 10


def test_a_check_cannot_add_commands(hostile: dict[str, Any]) -> None:
    """Line feeds, colons and commas of foreign text stay inside of one command."""
    assert [line.split(" ", 1)[0] for line in lines(hostile)] == ["::error", "::error"]
    assert "%0A%3A%3Aerror" in lines(hostile)[1]
