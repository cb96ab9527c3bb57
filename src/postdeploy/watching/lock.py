"""One monitor a reports folder: two would write over each other's verdicts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from postdeploy.documents import why
from postdeploy.errors import JournalError

__all__ = ["LOCK_FILE", "alone"]

LOCK_FILE: Final = ".watch.lock"

_LAST_RUN: Final = 30.0
"""Seconds that the run of a monitor that was killed has to end by itself; it holds the lock until then."""

_GLANCE: Final = 0.1


@contextmanager
def alone(
    folder: Path, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Hold the folder; the system gives it up when this process and the run that it has begun are gone.

    Raises JournalError, which names the process that holds it.
    """
    import fcntl

    path = folder / LOCK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise JournalError(f"{path}: cannot be locked: {why(error)}") from error
    try:
        end = clock() + _LAST_RUN
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            holder = _holder(handle)
            if _lives(holder) or clock() >= end:
                raise JournalError(f"{folder}: process {holder or '(unknown)'} watches from this folder already")
            sleep(_GLANCE)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(handle: int) -> int:
    said = os.pread(handle, 20, 0)
    return int(said) if said.isdigit() else 0


def _lives(process: int) -> bool:
    if not process:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
