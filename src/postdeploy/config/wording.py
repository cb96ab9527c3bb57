"""The phrases that all messages share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["listed", "nearest", "way_out"]

_CUTOFF: Final = 0.6
_LISTED: Final = 20


def listed(words: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    known = list(words)
    if len(known) < 2:  # noqa: PLR2004 - one word, or none, needs no conjunction
        return "".join(known)
    return f"{', '.join(known[:-1])} {last} {known[-1]}"


def nearest(word: str, words: Iterable[str], cutoff: float = _CUTOFF) -> str | None:
    """The known word that somebody meant, if one is close."""
    from difflib import get_close_matches

    close = get_close_matches(word.lower(), list(words), n=1, cutoff=cutoff)
    return close[0] if close else None


def way_out(word: str, words: Iterable[str]) -> str:
    """The hint for an unknown word: the nearest known one, or all of them."""
    known = list(words)
    close = nearest(word, known)
    if close is not None:
        return f"did you mean '{close}'?"
    shown = known[:_LISTED] + (["…"] if len(known) > _LISTED else [])
    return f"known: {', '.join(shown)}" if known else "none is known here"
