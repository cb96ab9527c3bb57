from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.plugin.cleansing import QUARANTINE, cleanse

TOKEN = "tok-5f3a9c77b1"
ODD = TOKEN.replace("-", "%25252D")
"""Escaped as no format of ours does, which only the second look recognises."""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """A run with a reports folder, and options that name what else it writes."""
    reports = tmp_path / "reports"
    reports.mkdir()
    options = SimpleNamespace(xmlpath=str(tmp_path / "junit.xml"), allure_report_dir=str(tmp_path / "allure"))
    return SimpleNamespace(config=SimpleNamespace(option=options), settings=SimpleNamespace(reports=reports))


def _cleanse(run: Any, redactor: Redactor) -> list[str]:
    return cleanse(run.config, run.settings, redactor)


def test_everything_that_a_run_wrote_is_masked(run: Any, tmp_path: Path) -> None:
    """Below the reports folder, and where options say; a link is not followed."""
    outside = tmp_path / "outside.txt"
    outside.write_text(TOKEN)
    (tmp_path / "allure").mkdir()
    written = [run.settings.reports / "a.txt", tmp_path / "junit.xml", tmp_path / "allure" / "r.json"]
    for path in written:
        path.write_text(f"before {TOKEN}")
    (run.settings.reports / "link").symlink_to(outside)
    assert _cleanse(run, Redactor([Secret("token", TOKEN)])) == []
    assert [path.read_text() for path in written] == ["before ***"] * 3
    assert outside.read_text() == TOKEN


def test_what_is_found_in_spite_of_it_is_moved_aside(run: Any, tmp_path: Path) -> None:
    """Where only the owner can read it and git does not see it, each under a name of its own; no value is told."""
    for folder in ("one", "two"):
        place = run.settings.reports / folder
        place.mkdir()
        (place / "odd.txt").write_text(ODD)
    told = _cleanse(run, Redactor([Secret("token", TOKEN)]))
    kept = sorted((tmp_path / QUARANTINE).glob("*.txt"))
    assert [path.name for path in kept] == ["1-odd.txt", "2-odd.txt"]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert ((tmp_path / QUARANTINE).stat().st_mode & 0o777) == 0o700
    assert (tmp_path / QUARANTINE / ".gitignore").read_text() == "*\n"
    assert len(told) == 2
    assert all("odd.txt held token" in line and TOKEN not in line for line in told)
    assert not list(run.settings.reports.rglob("odd.txt"))


def test_verdict_and_evidence_are_looked_through_only(run: Any) -> None:
    """They were masked as they were written, and their digests would not fit any more."""
    for name in ("verdict.json", "evidence.jsonl"):
        (run.settings.reports / name).write_text("harmless")
    assert _cleanse(run, Redactor([Secret("token", TOKEN)])) == []
    (run.settings.reports / "evidence.jsonl").write_text(TOKEN)
    assert len(_cleanse(run, Redactor([Secret("token", TOKEN)]))) == 1


def test_without_secrets_nothing_is_read(run: Any) -> None:
    """There is nothing to look for."""
    (run.settings.reports / "a.txt").write_text(TOKEN)
    assert _cleanse(run, Redactor()) == []
