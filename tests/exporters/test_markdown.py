from __future__ import annotations

from typing import Any

from postdeploy.exporters.markdown import render
from tests.domain import builders as make
from tests.exporters.conftest import document_of, nothing


def test_the_decision_comes_first(bad: dict[str, Any]) -> None:
    """Heading, reason, counts, then what happened, then what did not pass."""
    text = render(bad, nothing).decode()
    order = [
        "## ",
        bad["reason"].replace("_", "\\_"),
        "| planned |",
        "### What happened to the run",
        "### What did not",
    ]
    places = [text.index(one) for one in order]
    assert places == sorted(places)
    assert "suites/api.yaml:1" in text
    assert "    curl -sS https://web.test/" in text


def test_it_fits_into_a_job_summary() -> None:
    """GitHub drops a summary above 1 MiB: ten thousand long failures stay below it, and say how many are left out."""
    message = "x" * 100_000
    results = [make.failed(f"{n} {message[:500]}") for n in range(2_000)]
    content = render(document_of(make.evidence(*results)), nothing)
    assert len(content) < 2**20
    assert b"And 1950 more" in content


def test_foreign_text_has_no_markup(hostile: dict[str, Any]) -> None:
    """A table stays a table, and no tag, code or link of the target's is one."""
    text = render(hostile, nothing).decode()
    rows = [line for line in text.splitlines() if line.startswith("| x ")]
    assert len(rows) == 1
    assert "\\<script\\>" in rows[0]
    assert "\\|cell\\|" in rows[0]
