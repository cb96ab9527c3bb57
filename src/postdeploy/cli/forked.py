"""The forked child of the launcher: what it is born with, how it ends, and the mark by which its own are found."""

# ruff: noqa: PTH123  # the launcher does without pathlib, which costs milliseconds

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Never

from postdeploy.cli.leaving import leave

__all__ = ["MARK", "is_marked", "live"]

MARK: Final = "POSTDEPLOY_LAUNCH"
"""The variable by which whatever the child has started is found, also in sessions of its own."""

_MAPPING: Final = "postdeploy-launch-"
"""Beginning of the name of a mapping that every fork inherits, for only a new program shows its environment."""

_FAILED: Final = 1


def live(work: Callable[[], int], environment: dict[str, str]) -> Never:
    """Do the work with this environment, and end with the status that it returns."""
    os.environ |= environment
    mapping = _map(environment[MARK])
    status = _FAILED
    try:
        status = work()
    except SystemExit as error:
        status = _status_of(error)
    except BaseException as error:  # noqa: BLE001  # as at the end of every program
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        del mapping
        leave(status)
    raise AssertionError("a process that has ended goes on")


def is_marked(process: int, mark: str) -> bool:
    """Whether a process of Linux carries the mark in its environment or in its memory."""
    with suppress(OSError), open(f"/proc/{process}/environ", "rb") as environ:
        if f"{MARK}={mark}".encode() in environ.read().split(b"\0"):
            return True
    with suppress(OSError), open(f"/proc/{process}/maps", "rb") as maps:
        return _MAPPING.encode() + mark.encode() in maps.read()
    return False


def _map(mark: str) -> object:
    """The mapping, as long as somebody holds it; only Linux can name one."""
    if not hasattr(os, "memfd_create"):
        return None
    import mmap

    handle = os.memfd_create(_MAPPING + mark)
    try:
        os.ftruncate(handle, mmap.PAGESIZE)
        return mmap.mmap(handle, mmap.PAGESIZE)
    finally:
        os.close(handle)


def _status_of(error: SystemExit) -> int:
    """What ``sys.exit`` means (its documentation): nothing is 0, a number is itself, anything else is told."""
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    print(error.code, file=sys.stderr)
    return _FAILED
