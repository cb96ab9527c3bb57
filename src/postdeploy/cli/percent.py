"""A share as people type it, such as ``99.9``."""

from __future__ import annotations

import argparse

__all__ = ["percent"]


def percent(given: str) -> float:
    """The share; an argparse type."""
    try:
        found = float(given.removesuffix("%"))
    except ValueError:
        found = 0.0
    if not 0 < found < 100:  # noqa: PLR2004  # percent
        raise argparse.ArgumentTypeError("more than 0 and less than 100, such as 99.9")
    return found / 100
