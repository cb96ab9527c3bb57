"""Nobody listens any more: the pipe to ``head`` is closed, the disk of the log is full. That is no reason to fail."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

import pytest

__all__ = ["listen_to_nobody", "say_at_once", "silence"]


class _Forgiving:
    """A text stream that gives up writing, and says nothing of it, once the system refuses."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._gone = False

    def write(self, text: str) -> int:
        """Write, as long as somebody listens."""
        if not self._gone:
            try:
                self._stream.write(text)
            except OSError:
                self._gone = True
        return len(text)

    def flush(self) -> None:
        """The same."""
        if not self._gone:
            try:
                self._stream.flush()
            except OSError:
                self._gone = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def listen_to_nobody(config: pytest.Config) -> None:
    """Let pytest's terminal forgive."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        writer = reporter._tw  # noqa: SLF001  # pytest has no public word for its stream
        writer._file = _Forgiving(writer._file)  # noqa: SLF001  # the same


def say_at_once(config: pytest.Config, text: str) -> None:
    """The last words of a process that is about to be left, in the middle of a test whose output is captured."""
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=False)
    sys.stderr.write(text)
    sys.stderr.flush()
    sys.stdout.flush()


def silence() -> None:
    """At the end: what is still in the buffers and cannot be written must not change the exit status."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # there is no such stream, or it is closed
            try:
                stream.flush()
            except OSError:
                with contextlib.suppress(OSError):
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, stream.fileno())
                    os.close(nowhere)
