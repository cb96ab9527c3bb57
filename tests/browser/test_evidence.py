from __future__ import annotations

from pathlib import Path

from postdeploy.browser.evidence import kept, write_logs
from postdeploy.domain.observation import ConsoleMessage, FailedRequest


def test_what_an_earlier_run_left_is_no_evidence(tmp_path: Path) -> None:
    """Of a folder that was used before, only what this page has done is kept; other files are left alone."""
    folder = tmp_path / "attempt-1"
    write_logs(folder, [ConsoleMessage("old")], [FailedRequest("GET", "http://a.test/old", "refused")])
    (folder / "screenshot.png").touch()
    (folder / "notes").touch()
    write_logs(folder, [ConsoleMessage("new")], [])
    assert kept(folder) == (str(folder / "console.txt"),)
    assert (folder / "console.txt").read_text() == "new\n"
    assert (folder / "notes").exists()
