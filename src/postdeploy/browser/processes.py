"""The processes behind a browser: the loop that starts its driver, and how to end both, whatever state they are in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["PROCESS_INFO", "DriverLoop", "browser_process", "kill_process"]

PROCESS_INFO: Final = "SystemInfo.getProcessInfo"
"""What to ask a browser for its processes."""

_REAPS: Final = 30

if sys.platform == "win32":
    _Base = asyncio.ProactorEventLoop
else:
    _Base = asyncio.SelectorEventLoop


class DriverLoop(_Base):
    """An event loop that remembers the processes it started, so that none outlives it."""

    def __init__(self) -> None:
        super().__init__()
        self.children: list[asyncio.SubprocessTransport] = []
        self.set_exception_handler(_ignore)

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        """Start a process as every event loop does."""
        transport, protocol = await super().subprocess_exec(*args, **kwargs)
        self.children.append(transport)
        return transport, protocol

    def kill_children(self) -> None:
        """End every process that is still there, with its group; a driver that ends takes its browser along."""
        for transport in self.children:
            if transport.get_returncode() is None:
                kill_process(transport.get_pid())

    async def reap_children(self) -> None:
        """End them and wait until they are gone, so that the loop may be closed."""
        self.kill_children()
        for _ in range(_REAPS):
            if all(transport.get_returncode() is not None for transport in self.children):
                break
            await asyncio.sleep(0.01)
        for transport in self.children:
            transport.close()
        await asyncio.sleep(0)


def _ignore(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """Calls that a killed browser leaves behind have been answered for already."""


def kill_process(pid: int | None) -> None:
    """End a browser at once, if it is still there, with whatever wraps it: its driver gave it a group of its own."""
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        elif os.getpgid(pid) == os.getpgrp():
            os.kill(pid, signal.SIGKILL)
        else:
            os.killpg(os.getpgid(pid), signal.SIGKILL)


def browser_process(answer: Mapping[str, Any]) -> int | None:
    """The id of the browser's own process, as its ``PROCESS_INFO`` says."""
    processes = (process for process in answer["processInfo"] if process["type"] == "browser")
    return next((int(process["id"]) for process in processes), None)
