"""What a process says to the pipeline: the exit status that follows from a verdict."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitStatus", "status_of"]


class ExitStatus(IntEnum):
    """What the process says to the pipeline, beside pytest's own 2 to 5."""

    PROMOTE = 0
    HOLD = 10
    ROLLBACK = 20
    NO_PROOF = 30


_KEPT = {"interrupted": 2, "internal_error": 3, "config_error": 4, "secret_missing": 4, "nothing_selected": 5}


def status_of(conclusion: str, action: str, reason: str) -> int:
    """The exit status for a verdict: pytest's own where pytest has a word for it, hold for whatever fits nothing."""
    if (conclusion, action) == ("pass", "promote"):
        return int(ExitStatus.PROMOTE)
    if (conclusion, action) == ("fail", "rollback"):
        return int(ExitStatus.ROLLBACK)
    return _KEPT.get(reason, int(ExitStatus.HOLD)) if conclusion == "inconclusive" else int(ExitStatus.HOLD)
