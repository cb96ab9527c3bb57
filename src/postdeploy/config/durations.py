"""Durations as people write them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["HOW", "seconds_of"]

HOW: Final = "write it like 500ms, 3s, 5m, 1h or a number of seconds"
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)?")
_SECONDS: Final[dict[str | None, float]] = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Seconds, written ``500ms``, ``3s``, ``5m``, ``1h`` or as a plain number of seconds. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None or not float(match[1]):
        raise ValueError(f"{text!r} is no duration; {HOW}")
    return round(float(match[1]) * _SECONDS[match[2]], 9)
