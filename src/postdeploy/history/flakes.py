"""The view of flakes: which checks pass only when repeated, how often, and what is done about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from postdeploy.domain.quarantine import Quarantine
from postdeploy.history.sums import CheckSum
from postdeploy.history.text import columns, share, shown
from postdeploy.lazy_dataclass import asdict, dataclass

__all__ = ["Flake", "find_flakes", "interval", "tell_flakes", "tell_flakes_json"]

_SURE: Final = 20
"""Passes at once after which a quarantine may be taken out."""


@dataclass(frozen=True, slots=True)
class Flake:
    """One check: how often it passed at all (``runs``), how often only when repeated, and how often it failed.

    Args:
        rate: the share of flaky passes; ``low`` and ``high`` are its 95 % interval (Wilson).
        quarantine: its entry, if it has one.
        state: ``holds``, ``over`` or ``idle`` (it has passed at once ever since), if it has one.
    """

    id: str
    name: str
    owner: str | None
    runs: int
    flaky: int
    failed: int
    rate: float
    low: float
    high: float
    quarantine: dict[str, str] | None = None
    state: str | None = None


def find_flakes(checks: Iterable[CheckSum], now: float) -> list[Flake]:
    """The checks that were flaky or are in quarantine, the flakiest first; ``now`` in seconds since the epoch."""
    found = [_flake(check, now) for check in checks if check.flaky or check.quarantine]
    return sorted(found, key=lambda flake: (-flake.low, -flake.flaky, flake.id))


def interval(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, 1927); everything of nothing."""
    if not whole:
        return 0.0, 1.0
    z = 1.959964
    middle = (part + z * z / 2) / (whole + z * z)
    half = z * math.sqrt(part * (whole - part) / whole + z * z / 4) / (whole + z * z)
    return max(0.0, middle - half), min(1.0, middle + half)


def tell_flakes(flakes: Sequence[Flake]) -> Iterator[str]:
    """A line for each check."""
    if not flakes:
        yield "no check was flaky, and none is in quarantine"
        return
    rows = [("flaky", "of", "rate", "95 %", "failed", "owner", "check", "quarantine"), *map(_cells, flakes)]
    yield from columns(rows)


def tell_flakes_json(flakes: Iterable[Flake]) -> list[dict[str, Any]]:
    """The same as JSON builtins."""
    return [asdict(flake) for flake in flakes]


def _flake(check: CheckSum, now: float) -> Flake:
    low, high = interval(check.flaky, check.good)
    return Flake(
        id=check.id,
        name=check.name,
        owner=check.owner,
        runs=check.good,
        flaky=check.flaky,
        failed=check.bad,
        rate=check.flaky / check.good if check.good else 0.0,
        low=low,
        high=high,
        quarantine=dict(check.quarantine) if check.quarantine else None,
        state=_state(check, now) if check.quarantine else None,
    )


def _state(check: CheckSum, now: float) -> str:
    if not Quarantine.from_json(check.quarantine).holds(now):
        return "over"
    return "idle" if check.good >= _SURE and not check.flaky and not check.bad else "holds"


def _cells(flake: Flake) -> tuple[str, ...]:
    return (
        str(flake.flaky),
        str(flake.runs),
        share(flake.flaky, flake.runs),
        f"{100 * flake.low:.1f}-{100 * flake.high:.1f}",
        str(flake.failed),
        shown(flake.owner or "-", 20),
        shown(flake.id),
        shown(_quarantine(flake), 100),
    )


def _quarantine(flake: Flake) -> str:
    entry = flake.quarantine
    if entry is None:
        return "-"
    until, who = entry["until"], f"({entry['owner']}: {entry['reason']})"
    if flake.state == "over":
        return f"OVER since {until} {who}"
    return f"until {until} {who}" + ("; it has passed at once ever since: take it out" if flake.state == "idle" else "")
