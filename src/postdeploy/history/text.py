"""What views print: columns of text, moments, durations, shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

__all__ = ["clock", "columns", "milliseconds", "share", "shown"]


def columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines whose columns stand below each other; the last one is as long as it is."""
    table = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def clock(milliseconds: int) -> str:
    """A moment in UTC, to the second."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def milliseconds(seconds: float | None) -> str:
    """A duration; a dash for none."""
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if seconds >= 10 else f"{1000 * seconds:.0f} ms"  # noqa: PLR2004  # seconds


def share(part: float, whole: float) -> str:
    """A part in percent; a dash of nothing. What is not everything never looks like it."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    text = f"{percent:.2f}".rstrip("0").rstrip(".")
    if text == "100" and part < whole:
        text = "99.99"
    if text == "0" and part > 0:
        text = "0.01"
    return f"{text} %"


def shown(text: str, most: int = 60) -> str:
    """A text on one line, without what could move the cursor, and not longer than that."""
    line = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return line if len(line) <= most else line[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
