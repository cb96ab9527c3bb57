"""Reading JSON back strictly: what is not of the type that was written is refused, never bent into it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

__all__ = ["array", "count", "flag", "mapping", "number", "optional_text", "text"]


def number(value: object) -> float:
    """A finite number. Raises TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {value!r}")
    try:
        seconds = float(value)
    except OverflowError as error:
        raise ValueError("expected a number, got one beyond all measure") from error
    if not math.isfinite(seconds):
        raise ValueError(f"expected a finite number, got {value!r}")
    return seconds


def count(value: object) -> int:
    """A whole number that is not negative. Raises TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a whole number, got {value!r}")
    if value < 0:
        raise ValueError(f"expected a number that is not negative, got {value!r}")
    return value


def text(value: object) -> str:
    """A text. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {value!r}")
    return value


def optional_text(value: object) -> str | None:
    """A text or null. Raises TypeError."""
    return None if value is None else text(value)


def flag(value: object) -> bool:
    """True or false. Raises TypeError."""
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {value!r}")
    return value


def array(value: object) -> Sequence[object]:
    """An array. Raises TypeError."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected an array, got {value!r}")
    return value


def mapping(value: object) -> Mapping[str, object]:
    """An object. Raises TypeError."""
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {value!r}")
    return value
