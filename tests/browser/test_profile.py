"""Where a browser keeps its state: nothing of it stays, not even of a run that was killed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from postdeploy.browser.devtools.profile import Profile


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files go here."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _killed_run() -> None:
    """A run that has a profile, and dies."""
    if not (child := os.fork()):
        Profile()
        os._exit(9)
    os.waitpid(child, 0)


def test_a_profile_goes_with_its_browser(temporary: Path) -> None:
    """The folder is empty but for its lock, and gone afterwards."""
    profile = Profile()
    assert [path.name for path in profile.path.iterdir()] == ["in-use"]
    (profile.path / "cache").mkdir()
    profile.remove()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_has_left_goes_with_the_next(temporary: Path) -> None:
    """Nobody else would ever remove it."""
    _killed_run()
    assert len(list(temporary.iterdir())) == 1
    Profile().remove()
    assert list(temporary.iterdir()) == []


def test_what_is_in_use_stays(temporary: Path) -> None:
    """Other runs have browsers at the same time."""
    used, mine = Profile(), Profile()
    mine.remove()
    assert list(temporary.iterdir()) == [used.path]
    used.remove()


def test_what_is_not_ours_stays(temporary: Path) -> None:
    """A folder without the lock, or a link of that name, is somebody else's."""
    (temporary / "postdeploy-browser-other").mkdir()
    _killed_run()
    left = next(path for path in temporary.iterdir() if path.name != "postdeploy-browser-other")
    (temporary / "real").mkdir()
    left.rename(temporary / "real" / "profile")
    (temporary / "postdeploy-browser-link").symlink_to(temporary / "real" / "profile")
    Profile().remove()
    assert sorted(path.name for path in temporary.iterdir()) == [
        "postdeploy-browser-link", "postdeploy-browser-other", "real"
    ]  # fmt: skip
    assert (temporary / "real" / "profile").is_dir()
