"""A browser that a resident monitor lends to its runs, one after the other: who tells whom what about it.

The monitor names descriptors that a run inherits: those of the DevTools protocol, and of a pipe into which the run
writes a line of JSON as soon as it wants a browser, and another one when it has given it back.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any, Final, NamedTuple

__all__ = ["LENT", "LentPipes", "Loan", "Said", "Wish", "read_loan", "read_said"]

LENT: Final = "POSTDEPLOY_LENT_BROWSER"
"""The variable that names a loan to the run that is forked next."""


class Wish(NamedTuple):
    """Which browser a run wants: what is executed, and what it calls itself."""

    executable: str
    user_agent: str


class LentPipes(NamedTuple):
    """A running browser: its process, where it tells, where commands go, and a number below those of all commands."""

    process: int
    reading: int
    writing: int
    first: int


class Said(NamedTuple):
    """What a run has said last: what it wants, and whether it has given back what was lent as it had got it."""

    wish: Wish
    clean: bool


class Loan:
    """What a run has from its monitor.

    Args:
        telling: a descriptor, where it says what it wants.
        wish: whom the lent browser suits.
        pipes: that browser, if there is one.
    """

    def __init__(self, telling: int, wish: Wish | None = None, pipes: LentPipes | None = None) -> None:
        self._telling = telling
        self._lent = wish, pipes
        self._asked: Wish | None = None

    def text(self) -> str:
        """As the variable has it; ``inode`` is that of the pipe, by which a process sees that it is its own."""
        wish, pipes = self._lent
        inode = os.fstat(self._telling).st_ino
        return json.dumps({"telling": self._telling, "inode": inode, "wish": wish, "pipes": pipes})

    def take(self, wish: Wish) -> LentPipes | None:
        """The browser, if it is what is wanted; once only, for who needs a second one does not trust the first."""
        if self._asked is not None:
            return None
        self._asked = wish
        self._tell(clean=False)
        suits, pipes = self._lent
        return pipes if suits == wish else None

    def give_back(self, *, clean: bool) -> None:
        """The browser is as it was when we got it, or it is not."""
        self._tell(clean=clean)

    def _tell(self, *, clean: bool) -> None:
        line = json.dumps({"wish": self._asked, "clean": clean}) + "\n"
        with suppress(OSError):  # the monitor is gone
            os.write(self._telling, line.encode())


def read_loan(text: str) -> Loan | None:
    """The loan that the variable names; None where it is not that of this process."""
    with suppress(ValueError, KeyError, TypeError, OSError):
        said: dict[str, Any] = json.loads(text)
        if os.fstat(said["telling"]).st_ino == said["inode"]:
            wish, pipes = said["wish"], said["pipes"]
            return Loan(said["telling"], Wish(*wish) if wish else None, LentPipes(*pipes) if pipes else None)
    return None


def read_said(content: bytes) -> Said | None:
    """The last line that a run has written."""
    with suppress(ValueError, KeyError, TypeError, IndexError):
        said = json.loads(content.splitlines()[-1])
        return Said(Wish(*said["wish"]), said["clean"] is True)
    return None
