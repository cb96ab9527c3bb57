"""What a run prints passes one point: secrets are masked, and foreign text steers neither a terminal nor a build log.

Pytest's terminal writer, ``print`` under ``-s``, live logs and ``capsys.disabled()`` all write to the same two streams,
so these are what is changed, for as long as the run takes.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable
from typing import Any, Final

from postdeploy.domain.foreign import console
from postdeploy.domain.redaction import Redactor

__all__ = ["Console"]

_UNFINISHED: Final = re.compile(r"(?:##?|::?|\x1b(?:[\[\]][0-9;]*)?)\Z")
"""The end of a piece that may be the beginning of a command or of a colour."""

_REWRITE: Final = re.compile("(?:\x1b\\[[0-9;]*m)*\r")
"""How pytest begins a line over the last one."""


class Console:
    """Standard output and standard error of this process."""

    def __init__(self, redactor: Redactor) -> None:
        self._outlets = [_Outlet(stream, redactor) for stream in (sys.stdout, sys.stderr) if stream is not None]

    def open(self) -> None:
        """Take over what is written."""
        for outlet in self._outlets:
            outlet.open()

    def close(self) -> None:
        """Write what was held back, and let go; harmless when repeated."""
        for outlet in self._outlets:
            outlet.close()


class _Outlet:
    """One stream; its own ``write`` is replaced, since others hold on to the stream itself."""

    def __init__(self, stream: Any, redactor: Redactor) -> None:
        self._stream = stream
        self._mask = redactor.stream()
        self._terminal = bool(getattr(stream, "isatty", lambda: False)())
        self._held = ""
        self._open = False

    def open(self) -> None:
        """Take over; a stream that takes no attributes stays as it is."""
        with contextlib.suppress(AttributeError):
            self._stream.write, self._stream.writelines = self.write, self.writelines
            self._open = True

    def close(self) -> None:
        """Write what was held back, and let go."""
        if self._open:
            self._open = False
            del self._stream.write, self._stream.writelines
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                self._stream.write(self._fit(self._held + self._mask(None)))
                self._stream.flush()

    def write(self, text: str) -> int:
        """Write a piece, or as much of it as is certain to be harmless."""
        piece = self._held + self._mask(text)
        unfinished = _UNFINISHED.search(piece)
        self._held = unfinished[0] if unfinished else ""
        harmless = self._fit(piece[: unfinished.start()] if unfinished else piece)
        if harmless:
            type(self._stream).write(self._stream, harmless)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several pieces."""
        for line in lines:
            self.write(line)

    def _fit(self, text: str) -> str:
        again = _REWRITE.match(text) if self._terminal else None
        kept = again[0] if again else ""
        return kept + console(text[len(kept) :], terminal=self._terminal)
