from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from postdeploy.errors import JournalError
from postdeploy.watching.lock import LOCK_FILE, alone

HOLD = """
import os, sys
from pathlib import Path
from postdeploy.watching.lock import alone
with alone(Path(sys.argv[1])):
    if sys.argv[2] == "fork" and os.fork():
        os._exit(0)
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(folder: Path, how: str = "stay") -> subprocess.Popen[str]:
    """Another process that holds the folder, or whose child does after it has ended."""
    command = [sys.executable, "-c", HOLD, str(folder), how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_one_at_a_time(tmp_path: Path) -> None:
    """A second monitor is refused at once, by the number of the first; after that has ended it is not."""
    with holding(tmp_path) as process:
        with (
            pytest.raises(JournalError, match=f"process {process.pid} watches from this folder already"),
            alone(tmp_path, sleep=lambda _: pytest.fail("waits")),
        ):
            pytest.fail("held twice")
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
    with alone(tmp_path):
        assert (tmp_path / LOCK_FILE).read_text() == str(os.getpid())


def test_the_last_run_of_a_killed_one(tmp_path: Path) -> None:
    """A monitor that is gone is waited for, as long as its run holds the folder, and not for ever."""
    with holding(tmp_path, "fork") as process:
        process.wait(10)
        moments = iter(range(0, 1000, 10))
        with (
            pytest.raises(JournalError, match="watches from this folder already"),
            alone(tmp_path, clock=lambda: next(moments), sleep=lambda _: None),
        ):
            pytest.fail("held twice")

        def let_go(_seconds: float) -> None:
            assert process.stdin is not None
            process.stdin.close()

        with alone(tmp_path, sleep=let_go):
            pass


def test_a_folder_that_cannot_be_locked(tmp_path: Path) -> None:
    """A lock that is a link is refused."""
    (tmp_path / LOCK_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="cannot be locked"), alone(tmp_path):
        pytest.fail("locked")
