"""A check that is known to fail, and whose failure does not count until a day: it is told, and never forgotten."""

from __future__ import annotations

import re
from typing import Any, Final

from postdeploy.domain.reading import mapping, text
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Quarantine", "is_day"]

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Who mends it, and why it is there; ``until`` is the first day (UTC, ``YYYY-MM-DD``) on which it counts again."""

    owner: str
    until: str
    reason: str

    def holds(self, moment: float) -> bool:
        """Whether it holds at a moment, in seconds since the epoch."""
        from datetime import UTC, datetime

        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d") < self.until

    def to_json(self) -> dict[str, str]:
        """As JSON builtins."""
        return {"owner": self.owner, "until": self.until, "reason": self.reason}

    @classmethod
    def from_json(cls, raw: Any) -> Quarantine:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        until = text(fields["until"])
        if not is_day(until):
            raise ValueError(f"expected a day, got {until!r}")
        return cls(text(fields["owner"]), until, text(fields["reason"]))


def is_day(given: str) -> bool:
    """Whether a text is a day such as 2026-12-01."""
    from datetime import date

    try:
        return _DAY.fullmatch(given) is not None and bool(date.fromisoformat(given))
    except ValueError:
        return False
