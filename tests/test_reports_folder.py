from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.errors import JournalError
from postdeploy.reports_folder import clear_reports

OURS = (
    "verdict.json", "verdict.dsse.json", "evidence.jsonl", "server.log", "evidence/home/attempt-1/trace.zip",
    ".run-1.plan.gw0.json", ".run-1.ready.json", ".verdict.json.77", "junit.xml", "report.html", "annotations.txt",
    "allure-results/x-result.json", "otlp/traces.json", ".otlp.77/traces.json",
)  # fmt: skip
OTHERS = ("README.md", "own.xml", "notes/verdict.json", ".hidden.json", "verdict.json.bak", ".plan.json")


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder with what runs write, and with what they do not."""
    for name in (*OURS, *OTHERS):
        path = tmp_path / "reports" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path / "reports"


def test_cleared(reports: Path) -> None:
    """What runs write is removed, what others have put there stays."""
    assert clear_reports(str(reports)) == len(OURS)
    left = {path.relative_to(reports).as_posix() for path in reports.rglob("*") if path.is_file()}
    assert left == set(OTHERS)
    assert clear_reports(str(reports)) == 0


def test_made(tmp_path: Path) -> None:
    """A folder that is not there is made."""
    assert clear_reports(str(tmp_path / "a" / "b")) == 0
    assert (tmp_path / "a" / "b").is_dir()


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    """A link with the name of a report goes; what it points at stays, outside and inside."""
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "file").write_text("x")
    reports = tmp_path / "reports"
    (reports / "evidence" / "home").mkdir(parents=True)
    (reports / "verdict.json").symlink_to(outside / "deep" / "file")
    (reports / "evidence.jsonl").symlink_to(outside / "deep")
    (reports / "evidence" / "home" / "link").symlink_to(outside / "deep")
    assert clear_reports(str(reports)) == 3
    assert list(reports.iterdir()) == []
    assert (outside / "deep" / "file").read_text() == "x"
    (reports / "evidence").symlink_to(outside / "deep")
    assert clear_reports(str(reports)) == 1
    assert (outside / "deep" / "file").read_text() == "x"


def test_a_folder_that_is_a_link_or_a_file(tmp_path: Path) -> None:
    """The folder itself has to be one; through a link it would be another's."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "verdict.json").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("x")
    for name in ("link", "file"):
        with pytest.raises(JournalError, match=f"{name}: not a folder that can be cleared"):
            clear_reports(str(tmp_path / name))
    assert (tmp_path / "real" / "verdict.json").exists()


def test_what_cannot_be_removed(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that stays is told: the run must not begin beside it."""

    def refuse(path: str, *, dir_fd: int) -> None:
        raise PermissionError(1, "Operation not permitted", path)

    monkeypatch.setattr("os.unlink", refuse)
    with pytest.raises(JournalError, match=r"reports/.+: cannot be removed: operation not permitted"):
        clear_reports(str(reports))
