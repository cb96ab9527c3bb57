"""How much traffic a run may cause: a meter that every request passes, pure of clocks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from postdeploy.domain.target import Budget
from postdeploy.guard.book import SHARES, Book

__all__ = ["BudgetSpentError", "Meter", "open_meter"]

_SECOND: Final = 1.0
_BUSY: Final = 0.005
"""Seconds after which to ask again where too many are in flight: whoever ends one may be another process."""


class BudgetSpentError(ValueError):
    """No request may follow; the text says what is used up."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the budget of {what} was spent before this one")


class Meter:
    """Lets pass as many requests as a budget says: in all, in flight, and in any second; from any thread.

    A rate below one, such as 0.5, is one request in a window of so many seconds.

    Args:
        budget: what it says. One that says nothing is counted only.
        book: where it is counted; the meters of all processes that count in one file share one budget.
    """

    def __init__(self, budget: Budget, book: Book | None = None) -> None:
        rate = budget.per_second
        self.allowed = budget.requests
        self.bytes_allowed = budget.bytes
        self._window = max(_SECOND, _SECOND / rate) if rate else 0.0
        self._ring = max(1, int(rate)) if rate else 0
        self.book = book or Book(moments=self._ring)
        self._in_flight = budget.in_flight if budget.bounds or self.book.shared else None

    @property
    def spent(self) -> str | None:
        """What is used up, so that no request may follow; None while there is something left."""
        if self.allowed is not None and self.book.requests >= self.allowed:
            return f"{self.allowed} requests"
        if self.bytes_allowed is not None and self.book.bytes >= self.bytes_allowed:
            return f"{self.bytes_allowed} bytes"
        return None

    def take(self, now: float) -> float:
        """Seconds to wait before the next request; 0 where it may go, which counts it. Raises BudgetSpentError."""
        book = self.book
        with book.alone():
            spent = self.spent
            if spent is not None:
                raise BudgetSpentError(spent)
            wait = self._wait(now)
            if wait <= 0:
                book.sent(now)
        return max(0.0, wait)

    def note(self, now: float) -> None:
        """Count a request that does not wait."""
        with self.book.alone():
            self.book.sent(now)

    def give_back(self, received: int = 0) -> None:
        """A request that was let go has ended, with so many bytes of an answer."""
        with self.book.alone():
            self.book.ended(received)

    def close(self) -> None:
        """Let go of the book."""
        self.book.close()

    def facts(self) -> dict[str, int | None]:
        """What the verdict says of it: used and allowed (None: any number), and the most at once and in any second."""
        book = self.book
        return {
            "requests": book.requests,
            "requests_allowed": self.allowed,
            "peak_in_flight": book.peak_flying,
            "peak_per_second": book.peak_rate,
            "bytes": book.bytes,
            "bytes_allowed": self.bytes_allowed,
        }

    def _wait(self, now: float) -> float:
        if self._in_flight is not None and self.book.flying >= self._in_flight:
            self.book.bury()
            if self.book.flying >= self._in_flight:
                return _BUSY
        oldest = self.book.sent_before(self._ring) if self._ring else None
        return 0.0 if oldest is None else oldest + self._window - now


def open_meter(budget: Budget, file: Path, *, shared: bool) -> Meter:
    """The meter of a run: in a file where several processes count, or other programs may see what is bounded."""
    if not SHARES or not (budget.bounds or shared):
        return Meter(budget)
    rate = budget.per_second
    return Meter(budget, Book(file, moments=int(rate) if rate else 0))
