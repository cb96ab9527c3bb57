"""The end of a process, without taking everything apart first, which takes milliseconds."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import Never

__all__ = ["leave"]


def leave(status: int) -> Never:
    """Do what others can see of an interpreter's end: wait for threads, call what was registered, flush."""
    if threading := sys.modules.get("threading"):
        threading._shutdown()  # noqa: SLF001  # as multiprocessing does
    atexit._run_exitfuncs()  # noqa: SLF001  # the public way is to end the interpreter
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status & 0xFF)
