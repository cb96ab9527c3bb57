"""What a person reads while the pipeline works."""

from __future__ import annotations

import sys
import time
from textwrap import wrap
from typing import TextIO

from demo.rollback.pipeline import Event

__all__ = ["Narration"]

_WIDTH = 100
_COLUMN = 27
_COLOURS = {0: "32", 20: "31"}
_HOLD = "33"


class Narration:
    """Lines with the seconds since the beginning; in colour where a terminal shows it."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._begun = time.monotonic()
        self._colour = stream.isatty()

    def title(self, text: str) -> None:
        """A chapter."""
        self._write(f"\n{self._paint(text, '1')}\n")

    def scene(self, text: str) -> None:
        """A release that comes."""
        self._write(f"\n  {self._paint(text, '1')}\n")

    def event(self, event: Event) -> None:
        """Something that the pipeline did or learnt."""
        status = "" if event.status is None else str(event.status)
        painted = self._paint(f"{status:>2}", _COLOURS.get(event.status or 0, _HOLD) if status else "")
        what = f"{event.share} % of the traffic to " if event.share else "back to " if event.act == "rollback" else ""
        first, *rest = wrap(what + event.about, _WIDTH - _COLUMN) or [""]
        self._write(f"  {event.at - self._begun:6.1f} s  {event.act:<9} {painted}  {first}\n")
        for line in rest:
            self._write(f"{'':{_COLUMN - 2}}{line}\n")

    def check(self, *, holds: bool, text: str) -> None:
        """Something that should be so, and is or is not."""
        mark = self._paint("✓", "32") if holds else self._paint("✗ NOT SO:", "31")
        first, *rest = wrap(text, _WIDTH - _COLUMN)
        self._write(f"{'':11}{mark} {first}\n")
        for line in rest:
            self._write(f"{'':13}{line}\n")

    def line(self, text: str) -> None:
        """Anything else."""
        self._write(f"{text}\n")

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
