from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from postdeploy.exporters import FORMATS
from postdeploy.reports import parse_formats, planned, write_reports
from tests.domain import builders as make
from tests.exporters.conftest import PICTURE, document_of


@pytest.fixture
def document() -> dict[str, Any]:
    """A run with a failing page that left a picture behind."""
    attempts = tuple(make.attempt("failed", at, evidence=("evidence/home/shot.png",)) for at in (0.0, 2.0))
    return document_of(make.evidence(make.failed("home", attempts=attempts)))


def test_formats_are_named_once_and_in_order() -> None:
    """Names are separated by commas, or given again; 'all' is all of them."""
    assert parse_formats(["junit,html", "junit"]) == ("junit", "html")
    assert parse_formats(["all"]) == tuple(FORMATS)
    assert planned(("junit",)) == {"junit": "junit.xml"}


@pytest.mark.parametrize(
    ("given", "message"),
    [("junot", "unknown format 'junot' .did you mean 'junit'"), ("", "the formats are html, markdown")],
)
def test_an_unknown_format_is_refused(given: str, message: str) -> None:
    """The nearest one is named, or all of them."""
    with pytest.raises(ValueError, match=message):
        parse_formats([given])


def test_all_are_written(tmp_path: Path, document: dict[str, Any]) -> None:
    """Each format has its file in the folder."""
    written = list(write_reports(document, FORMATS, tmp_path, tmp_path / "out"))
    assert [report.problem for report in written] == [None] * len(FORMATS)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {path.rstrip("/") for path in FORMATS.values()}


def test_one_that_breaks_takes_nothing_with_it(
    tmp_path: Path, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are written, and the problem is told."""
    monkeypatch.setattr("postdeploy.exporters.junit.render", lambda *_: 1 / 0)
    problems = {report.name: report.problem for report in write_reports(document, FORMATS, tmp_path, tmp_path)}
    assert problems.pop("junit") == "ZeroDivisionError: division by zero"
    assert set(problems.values()) == {None}
    assert not (tmp_path / "junit.xml").exists()


def test_what_may_not_leave_is_not_written(tmp_path: Path, document: dict[str, Any]) -> None:
    """A report that the sieve refuses is a problem of that report, and an older one of its name goes with it."""

    def sieve(files: Mapping[str, bytes]) -> dict[str, bytes]:
        if "junit.xml" in files:
            raise ValueError("it holds token")
        return {name: content.upper() for name, content in files.items()}

    (tmp_path / "junit.xml").write_text("older")
    junit, ctrf = write_reports(document, ["junit", "ctrf"], tmp_path, tmp_path, sieve)
    assert (junit.problem, ctrf.problem) == ("ValueError: it holds token", None)
    assert [path.name for path in tmp_path.iterdir()] == ["ctrf.json"]
    assert b"RESULTS" in (tmp_path / "ctrf.json").read_bytes()


def test_a_folder_that_refuses(tmp_path: Path, document: dict[str, Any]) -> None:
    """What cannot be written is a problem of that report."""
    (tmp_path / "file").write_text("")
    (report,) = write_reports(document, ["junit"], tmp_path, tmp_path / "file")
    assert "cannot be written" in str(report.problem)


@pytest.mark.parametrize("kind", ["file", "link", "missing", "above"])
def test_only_evidence_below_the_folder_is_read(tmp_path: Path, document: dict[str, Any], kind: str) -> None:
    """A picture that is a link to elsewhere, or lies outside, does not get into the page."""
    reports, outside = tmp_path / "reports", tmp_path / "secret.png"
    outside.write_bytes(PICTURE)
    picture = reports / "evidence/home/shot.png"
    picture.parent.mkdir(parents=True)
    if kind == "file":
        picture.write_bytes(PICTURE)
    elif kind == "link":
        picture.symlink_to(outside)
    elif kind == "above":
        document["checks"][0]["evidence"] = ["../secret.png"]
    list(write_reports(document, ["html"], reports, reports))
    assert (b"data:image/png" in (reports / "report.html").read_bytes()) == (kind == "file")
