"""How much traffic a run may cause: a meter that every request passes, pure of clocks."""

from __future__ import annotations

from collections import deque
from typing import Final

from postdeploy.domain.target import Budget

__all__ = ["Meter"]

_SECOND: Final = 1.0


class Meter:
    """Counts requests in all, and over a sliding window: in no second more than the budget says.

    A rate below one, such as 0.5, is one request in a window of so many seconds.
    """

    def __init__(self, budget: Budget) -> None:
        self.used = 0
        self.allowed = budget.requests
        rate = budget.per_second
        self._window = max(_SECOND, _SECOND / rate) if rate else 0.0
        self._recent: deque[float] = deque(maxlen=max(1, int(rate)) if rate else 0)

    @property
    def spent(self) -> bool:
        """Whether no request may follow."""
        return self.allowed is not None and self.used >= self.allowed

    def take(self, now: float) -> float:
        """Seconds to wait before the next request; 0 where it may go, which counts it. Raises ValueError when spent."""
        if self.spent:
            raise ValueError("the budget is spent")
        wait = self._wait(now)
        if wait <= 0:
            self.used += 1
            self._recent.append(now)
        return max(0.0, wait)

    def _wait(self, now: float) -> float:
        full = self._recent and len(self._recent) == self._recent.maxlen
        return self._recent[0] + self._window - now if full else 0.0
