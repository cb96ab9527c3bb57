"""How long a history remembers, and which variable says where it is."""

from __future__ import annotations

from typing import Final

from postdeploy.lazy_dataclass import dataclass

__all__ = ["HISTORY_VARIABLE", "Retention"]

HISTORY_VARIABLE: Final = "POSTDEPLOY_HISTORY"
"""The variable of the environment that names a history."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days results of single checks are kept, and how many days runs and sums are."""

    results: int = 90
    sums: int = 400
