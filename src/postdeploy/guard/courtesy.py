"""What a target that answers 429 asks of everything that the run has yet to send, whichever process sends it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from postdeploy.guard.book import Book

__all__ = ["TOO_MANY_REQUESTS", "Courtesy", "retry_after"]

TOO_MANY_REQUESTS: Final = 429

_UNSAID: Final = 1.0
"""Seconds to wait where a target does not say how long."""

_SPREAD: Final = 0.1
"""By which part of a pause requests resume later than asked for, so that they do not all come at once."""

_MOST: Final = 2.0
"""Seconds that this is at most."""

_AGAIN, _BEYOND = 1, 2
_WHY: Final = {
    _AGAIN: "the target answered HTTP 429 again after the pause that it had asked for",
    _BEYOND: "the target answered HTTP 429 and asks for a pause beyond the deadline",
}


class Courtesy:
    """The first answer of 429 pauses everything; one to a request that was sent after the pause ends everything.

    Args:
        clock: seconds, monotonic.
        deadline: when the run ends, by that clock: no pause leads beyond it.
        book: where it is written down for all who send; None keeps it to oneself.
        jitter: a random number between two others.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        deadline: float | None = None,
        book: Book | None = None,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock = clock
        self._deadline = deadline
        self._book = book or Book()
        self._jitter = jitter

    @property
    def stopped(self) -> str | None:
        """Why nothing more may be sent; None while something may."""
        return _WHY.get(self._book.stopped)

    def limited(self, sent: float, wait: float | None) -> None:
        """A request that was sent at this moment was answered 429, with that many seconds to wait."""
        with self._book.alone():
            self._hear(sent, wait)

    def _hear(self, sent: float, wait: float | None) -> None:
        book = self._book
        if book.until and sent >= book.until:
            book.stopped = book.stopped or _AGAIN
            return
        until = self._clock() + (_UNSAID if wait is None else wait)
        if self._deadline is not None and until >= self._deadline:
            book.stopped = book.stopped or _BEYOND
        book.until = max(until, book.until)

    def pause(self) -> float:
        """Seconds before the next request may be sent: a little more than the target asked for, by chance."""
        until = self._book.until
        left = until - self._clock() if until else 0.0
        return left + self._jitter(0.0, min(_MOST, left * _SPREAD)) if left > 0 else 0.0


def retry_after(value: object) -> float | None:
    """RFC 9110 §10.2.3: seconds, or a date; None where there is none that can be read."""
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
