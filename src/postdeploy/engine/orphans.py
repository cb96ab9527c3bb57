"""What this process has started must not outlive it, not even where it is killed: a watcher of a few lines sees to it.

The watcher is a shell in a session of its own. It holds one end of a pipe, and reads that the other end is gone.
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import Final

__all__ = ["OrphanWatch"]

_SHELL: Final = "/bin/sh"

_SCRIPT: Final = """\
trap '' HUP INT QUIT TERM
watched=
patience=5
while read -r word process; do
  case $word in
    watch) watched="$watched $process" ;;
    end) exit ;;
    kill) patience=0; break ;;
  esac
done
for process in $watched; do kill -s INT -- $process; done
for process in $watched; do case $process in -*) kill -s TERM -- $process ;; esac; done
sleep $patience
for process in $watched; do kill -s KILL -- $process; done
"""
"""Workers of xdist clean up when they are interrupted; servers end when they are asked to; both have five seconds."""


class OrphanWatch:
    """Started with the first process that it is told of; where there is no shell, there is no watch."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None

    def watch(self, process: int, *, group: bool = False) -> None:
        """Watch a process, or the whole group that it leads."""
        with contextlib.suppress(OSError):
            self._shell = self._shell or _start()
            self._tell(f"watch {-process if group else process}\n")

    def kill(self) -> None:
        """End whatever is left of what was watched, now."""
        self._finish(b"kill\n")

    def close(self) -> None:
        """Whatever was watched was ended in an orderly way."""
        self._finish(b"end\n")

    def _finish(self, word: bytes) -> None:
        shell, self._shell = self._shell, None
        if shell is not None:
            with contextlib.suppress(OSError):
                shell.communicate(word)

    def _tell(self, line: str) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            self._shell.stdin.write(line.encode("ascii"))
            self._shell.stdin.flush()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own words, and no value of anybody's
        [_SHELL, "-c", _SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
