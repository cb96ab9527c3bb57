"""Selecting values in a JSON document: what the domain needs of a compiled JSON path (RFC 9535)."""

from __future__ import annotations

from typing import Protocol

__all__ = ["MISSING", "Missing", "Selector"]


class Missing:
    """The type of ``MISSING``: nothing is there, which is not the same as null."""

    __slots__ = ()

    def __repr__(self) -> str:
        """As people read it in a report."""
        return "nothing"


MISSING = Missing()


class Selector(Protocol):
    """A compiled path; the configuration layer makes them."""

    @property
    def text(self) -> str:
        """The path as people wrote it."""

    def select(self, document: object) -> object:
        """The one value of a singular path or ``MISSING``; a list of all values of any other path."""
