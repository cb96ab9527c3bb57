from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from postdeploy.errors import JournalError
from postdeploy.reports_folder import clear_reports
from postdeploy.watching.archive import keep_reports, kept_runs
from postdeploy.watching.retention import KeptRun


def ran(reports: Path, name: str, verdict: str = "fail", keep: int = 20, *, began: bool = False) -> str:
    """A run has written its reports, and they are kept."""
    clear_reports(str(reports))
    (reports / "verdict.json").write_text(f"verdict of {name}")
    (reports / "evidence/check/1").mkdir(parents=True)
    (reports / "evidence/check/1/page.png").write_text(f"picture of {name}")
    (reports / "console.log").unlink(missing_ok=True)
    (reports / "console.log").write_text(f"said by {name}")
    return keep_reports(reports, KeptRun(name, verdict, began), keep)


def test_whole(tmp_path: Path) -> None:
    """All that a run has written is kept, nothing else is, and ``latest`` leads there."""
    (tmp_path / "created.jsonl").write_text("not of one run")
    assert ran(tmp_path, "a") == "runs/a"
    found = sorted(str(path.relative_to(tmp_path / "latest")) for path in (tmp_path / "latest").rglob("*.*"))
    assert found == ["console.log", "evidence/check/1/page.png", "kept.json", "verdict.json"]
    assert (tmp_path / "latest").resolve() == tmp_path / "runs/a"


def test_what_is_kept_stays(tmp_path: Path) -> None:
    """The next run takes nothing away from it, and ``latest`` moves on; one that is read stays for another run."""
    ran(tmp_path, "a", "pass")
    read = (tmp_path / "latest").resolve()
    ran(tmp_path, "b", "pass")
    assert (read / "verdict.json").read_text() == "verdict of a"
    assert (read / "evidence/check/1/page.png").read_text() == "picture of a"
    assert (tmp_path / "latest/console.log").read_text() == "said by b"
    ran(tmp_path, "c", "pass")
    assert [run.id for run in kept_runs(tmp_path)] == ["b", "c"]


def test_disk_is_bounded(tmp_path: Path) -> None:
    """A target that is down leaves the same number of folders after any number of runs, its first among them."""
    ran(tmp_path, "first", keep=3, began=True)
    for number in range(30):
        ran(tmp_path, f"{number:02}", keep=3)
    assert [run.id for run in kept_runs(tmp_path)] == ["first", "26", "27", "28", "29"]
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"first", "26", "27", "28", "29"}


def test_where_files_have_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without hard links gets copies."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    ran(tmp_path, "a")
    assert (tmp_path / "latest/verdict.json").read_text() == "verdict of a"


def test_links_are_not_followed(tmp_path: Path) -> None:
    """What leads out of the folder is left out of what is kept."""
    (tmp_path / "secret").write_text("s")
    reports = tmp_path / "reports"
    (reports / "evidence").mkdir(parents=True)
    (reports / "evidence/link").symlink_to(tmp_path / "secret")
    (reports / "verdict.json").symlink_to(tmp_path / "secret")
    keep_reports(reports, KeptRun("a", "fail", began=True), 3)
    assert sorted(path.name for path in (reports / "latest").rglob("*")) == ["evidence", "kept.json"]


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    """Then it is told which folder could not be made, and the one before stays the latest."""
    ran(tmp_path, "a")
    (tmp_path / "runs/.b").write_text("in the way")
    with pytest.raises(JournalError, match=r"runs/b: the reports of a run cannot be kept"):
        ran(tmp_path, "b")
    assert (tmp_path / "latest/verdict.json").read_text() == "verdict of a"


def test_half_made(tmp_path: Path) -> None:
    """What a killed monitor has left half made is no run, and goes with the next."""
    (tmp_path / "runs/.dead").mkdir(parents=True)
    (tmp_path / "runs/without-a-note").mkdir()
    ran(tmp_path, "a")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["a"]
