"""When alerts are not told: in maintenance that was announced, and while a deploy is going on or has just ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from postdeploy.domain.reading import mapping, number, text
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Deploy", "DeployMute", "Mute", "Once", "Weekly", "Window", "find_mutes"]

_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY


@dataclass(frozen=True, slots=True)
class Mute:
    """Why nobody is told now, and when that ends, in seconds since the epoch; None is not known."""

    reason: str
    until: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {"reason": self.reason, "until": self.until}


@dataclass(frozen=True, slots=True)
class Once:
    """Maintenance from one moment to another, in seconds since the epoch."""

    begin: float
    end: float
    reason: str = "maintenance"

    def mute(self, now: float) -> Mute | None:
        """What it is now."""
        return Mute(self.reason, self.end) if self.begin <= now < self.end else None


@dataclass(frozen=True, slots=True)
class Weekly:
    """Maintenance on some days of each week by the clock of a place.

    Args:
        days: 0 is Monday; the days on which it begins.
        begin: minutes after midnight.
        minutes: how long it takes; it may end on the next day.
    """

    days: tuple[int, ...]
    begin: int
    minutes: int
    zone: tzinfo = UTC
    reason: str = "maintenance"

    def mute(self, now: float) -> Mute | None:
        """What it is now."""
        local = datetime.fromtimestamp(now, self.zone)
        minute = local.weekday() * _DAY + local.hour * 60 + local.minute
        for day in self.days:
            gone = (minute - day * _DAY - self.begin) % _WEEK
            if gone < self.minutes:
                return Mute(self.reason, now - local.second - local.microsecond / 1e6 + 60 * (self.minutes - gone))
        return None


Window = Once | Weekly


@dataclass(frozen=True, slots=True)
class DeployMute:
    """How long a deploy mutes, in seconds: ``after`` it has ended, and at the ``longest`` while it is going on."""

    after: float = 600.0
    longest: float = 3600.0


@dataclass(frozen=True, slots=True)
class Deploy:
    """A run after a deploy: when it began, and when it ended, if it has; seconds since the epoch."""

    run: str
    started: float
    ended: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {"run": self.run, "started": self.started, "ended": self.ended}

    @classmethod
    def from_json(cls, raw: object) -> Deploy:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        ended = fields["ended"]
        return cls(text(fields["run"]), number(fields["started"]), None if ended is None else number(ended))

    def mute(self, now: float, policy: DeployMute) -> Mute | None:
        """What it is now; one that began in the future by another clock is going on."""
        if self.ended is None:
            reason, until = f"deploy {self.run} is going on", self.started + policy.longest
        else:
            reason, until = f"deploy {self.run} has just ended", self.ended + policy.after
        return Mute(reason, until) if now < until else None


def find_mutes(
    now: float, windows: Sequence[Window], deploys: Iterable[Deploy], policy: DeployMute | None
) -> tuple[Mute, ...]:
    """Everything that mutes alerts now."""
    return tuple(_mutes(now, windows, deploys, policy))


def _mutes(
    now: float, windows: Sequence[Window], deploys: Iterable[Deploy], policy: DeployMute | None
) -> Iterator[Mute]:
    for window in windows:
        if (found := window.mute(now)) is not None:
            yield found
    for deploy in deploys if policy is not None else ():
        if policy is not None and (found := deploy.mute(now, policy)) is not None:
            yield found
