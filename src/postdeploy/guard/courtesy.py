"""What a target that answers 429 asks of everything that this process has yet to send."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["TOO_MANY_REQUESTS", "Courtesy", "retry_after"]

TOO_MANY_REQUESTS: Final = 429

_UNSAID: Final = 1.0
"""Seconds to wait where a target does not say how long."""


class Courtesy:
    """The first answer of 429 pauses everything; one to a request that was sent after the pause ends everything.

    Args:
        clock: seconds, monotonic.
        deadline: when the run ends, by that clock: no pause leads beyond it.
    """

    def __init__(self, clock: Callable[[], float], deadline: float | None = None) -> None:
        self.stopped: str | None = None
        self._clock = clock
        self._deadline = deadline
        self._until: float | None = None

    def limited(self, sent: float, wait: float | None) -> None:
        """A request that was sent at this moment was answered 429, with that many seconds to wait."""
        if self._until is not None and sent >= self._until:
            self.stopped = self.stopped or "the target answered HTTP 429 again after the pause that it had asked for"
            return
        until = self._clock() + (_UNSAID if wait is None else wait)
        if self._deadline is not None and until >= self._deadline:
            self.stopped = self.stopped or "the target answered HTTP 429 and asks for a pause beyond the deadline"
        self._until = max(until, self._until or until)

    def pause(self) -> float:
        """Seconds before the next request may be sent."""
        return 0.0 if self._until is None else max(0.0, self._until - self._clock())


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
