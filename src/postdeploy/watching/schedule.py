"""When the runs of a resident monitor are due: ticks on a fixed grid, which neither drifts nor catches up."""

from __future__ import annotations

import hashlib
import math

from postdeploy.lazy_dataclass import dataclass

__all__ = ["Schedule", "between", "start_delay"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Tick ``n`` is at ``first + n * every``, in seconds of one clock that never goes back.

    Args:
        every: seconds between two ticks, more than 0.
        first: when tick 0 is.
    """

    every: float
    first: float

    def at(self, tick: int) -> float:
        """When a tick is."""
        return self.first + tick * self.every

    def due(self, now: float) -> int:
        """The newest tick whose time has come; -1 before the first."""
        tick = max(math.floor((now - self.first) / self.every), -1)
        while self.at(tick + 1) <= now:  # a division that was rounded must not hold a tick back
            tick += 1
        return tick


def start_delay(every: float, limit: float, *names: str) -> float:
    """Seconds to wait for the first tick, so that monitors which start together do not ask together.

    It follows from the names, such as target and machine, and is less than ``limit`` and than ``every``.
    """
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48 * min(every, limit)


def between(every: float, earlier: float, later: float) -> int:
    """How many ticks a monitor that was not there has missed: those after ``earlier`` was due and before ``later``."""
    if not (math.isfinite(earlier) and math.isfinite(later)) or later <= earlier:
        return 0
    return math.ceil(round((later - earlier) / every, 6))
