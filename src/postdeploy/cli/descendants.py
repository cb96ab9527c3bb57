"""What a process has started, however deep and in whatever session: Linux hands it over, and it can be ended."""

# ruff: noqa: PTH123  # two reads of /proc

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

__all__ = ["adopt", "end_rest"]

_PR_SET_CHILD_SUBREAPER: Final = 36
_LOOKS: Final = 100


def adopt() -> None:
    """Become the parent of every descendant whose own parent ends, as prctl(2) has it; Linux alone can."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_rest(spare: int = 0) -> int:
    """End all descendants but one at once; returns how many there were.

    Those of a process that ends are ours a moment later, so it looks again until there are none.
    """
    ended = 0
    for _ in range(_LOOKS):
        found = [process for process in _children() if process != spare]
        if not found:
            break
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
        ended += len(found)
    return ended


def _children() -> Iterator[int]:
    """Of this process, which has one thread; zombies are among them."""
    with suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        yield from map(int, file.read().split())
