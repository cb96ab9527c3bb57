"""How much traffic a run may cause: a meter that every request passes, pure of clocks."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from postdeploy.domain.target import Budget

if TYPE_CHECKING:
    from postdeploy.guard.shared_budget import SharedMeter

__all__ = ["BudgetSpentError", "Meter", "facts_of", "open_meter"]

_SECOND: Final = 1.0


class BudgetSpentError(ValueError):
    """No request may follow; the text says what is used up."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the budget of {what} was spent before this one")


class Meter:
    """Counts requests in all, and over a sliding window: in no second more than the budget says; from any thread.

    A rate below one, such as 0.5, is one request in a window of so many seconds.
    """

    def __init__(self, budget: Budget) -> None:
        self.used = self.bytes = self.peak = self._flying = 0
        self.allowed = budget.requests
        self.bytes_allowed = budget.bytes
        rate = budget.per_second
        self._window = max(_SECOND, _SECOND / rate) if rate else 0.0
        self._recent: deque[float] = deque(maxlen=max(1, int(rate)) if rate else 0)
        self._lock = threading.Lock()

    @property
    def spent(self) -> str | None:
        """What is used up, so that no request may follow; None while there is something left."""
        if self.allowed is not None and self.used >= self.allowed:
            return f"{self.allowed} requests"
        if self.bytes_allowed is not None and self.bytes >= self.bytes_allowed:
            return f"{self.bytes_allowed} bytes"
        return None

    def take(self, now: float) -> float:
        """Seconds to wait before the next request; 0 where it may go, which counts it. Raises BudgetSpentError."""
        with self._lock:
            spent = self.spent
            if spent is not None:
                raise BudgetSpentError(spent)
            wait = self._wait(now)
            if wait <= 0:
                self.used += 1
                self._flying += 1
                self.peak = max(self.peak, self._flying)
                self._recent.append(now)
        return max(0.0, wait)

    def note(self) -> None:
        """Count a request that does not wait."""
        with self._lock:
            self.used += 1

    def give_back(self, received: int = 0) -> None:
        """A request that was let go has ended, with so many bytes of an answer."""
        with self._lock:
            self._flying = max(0, self._flying - 1)
            self.bytes += received

    def close(self) -> None:
        """Nothing has to be let go."""

    def facts(self) -> dict[str, int | None]:
        """What the verdict says of it."""
        return facts_of(self)

    def _wait(self, now: float) -> float:
        full = self._recent and len(self._recent) == self._recent.maxlen
        return self._recent[0] + self._window - now if full else 0.0


def facts_of(meter: Any) -> dict[str, int | None]:
    """Requests and bytes that were used and allowed (None: any number), and the most requests in flight at once."""
    return {
        "requests": meter.used,
        "requests_allowed": meter.allowed,
        "peak_in_flight": meter.peak,
        "bytes": meter.bytes,
        "bytes_allowed": meter.bytes_allowed,
    }


def open_meter(budget: Budget, file: Path, *, shared: bool) -> Meter | SharedMeter:
    """The meter of a run: in a file where several processes count, or other programs may see what is bounded."""
    if not (budget.bounds or shared):
        return Meter(budget)
    try:
        from postdeploy.guard.shared_budget import SharedMeter
    except ImportError:  # pragma: no cover - Windows: each process has the whole budget
        return Meter(budget)
    return SharedMeter(file, budget)
