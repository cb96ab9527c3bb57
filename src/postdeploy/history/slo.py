"""The view of objectives: availability, what is left of the error budget, and how fast it burns.

A run is good if its verdict is pass and bad if it is fail; an inconclusive one says nothing of the target and is told
beside them. Burn rates and their thresholds are those of Google's Site Reliability Workbook, chapter 5: a rate of 1
uses the budget up exactly when the time is over; an alert needs it over a long and a short time, so that it ends soon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from postdeploy.history.sums import CheckSum, HourSum
from postdeploy.history.text import columns, share, shown
from postdeploy.lazy_dataclass import asdict, dataclass, field

__all__ = ["Burn", "Objective", "burns", "objective_of", "tell_checks", "tell_objective", "tell_objective_json"]

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE

_WINDOWS: Final = (
    ("page", 60, 5, 0.02), ("page", 360, 30, 0.05), ("ticket", 1440, 120, 0.10), ("ticket", 4320, 360, 0.10),
)  # fmt: skip
"""What to do, minutes of the long and of the short time, and the share of the budget that burns in the long one."""


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast the budget burned over a long and a short time, and from which rate on somebody is to be told."""

    action: str
    minutes: int
    short_minutes: int
    rate: float
    short_rate: float
    threshold: float

    @property
    def alerts(self) -> bool:
        """Whether both are above it."""
        return self.rate >= self.threshold and self.short_rate >= self.threshold


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective of a target over some days, and what became of it.

    Args:
        wanted: the share of runs that is to be good.
        good: runs that passed; ``bad``: that failed; ``unknown``: that were inconclusive.
        unknown_reasons: why they were, and how many of them, where that was asked.
        left: the share of the error budget that is left; negative if more was used than there was.
    """

    target: str
    wanted: float
    days: int
    good: int
    bad: int
    unknown: int
    left: float
    burns: tuple[Burn, ...]
    unknown_reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def availability(self) -> float | None:
        """The share of decided runs that were good; None without any."""
        decided = self.good + self.bad
        return self.good / decided if decided else None


def objective_of(
    target: str,
    wanted: float,
    days: int,
    hours: Iterable[HourSum],
    verdicts: Sequence[tuple[int, str]],
    now: int,
) -> Objective:
    """What became of an objective; ``verdicts`` are those of the last three days, ``now`` in milliseconds."""
    table = list(hours)
    good, bad, unknown = (sum(getattr(hour, name) for hour in table) for name in ("good", "bad", "unknown"))
    allowed = (1 - wanted) * (good + bad)
    used = bad / allowed if allowed else float(bool(bad))
    return Objective(target, wanted, days, good, bad, unknown, 1 - used, burns(wanted, days, verdicts, now))


def burns(wanted: float, days: int, verdicts: Sequence[tuple[int, str]], now: int) -> tuple[Burn, ...]:
    """The rates of all windows that are shorter than the objective's time."""
    return tuple(
        Burn(
            action,
            long,
            short,
            _rate(wanted, verdicts, now - long * _MINUTE),
            _rate(wanted, verdicts, now - short * _MINUTE),
            part * days * 1440 / long,
        )
        for action, long, short, part in _WINDOWS
        if long < days * 1440
    )


def tell_objective(objective: Objective) -> Iterator[str]:
    """Some lines for people."""
    one = objective
    decided = one.good + one.bad
    yield f"{one.target}: {share(one.good, decided)} of {decided} runs were good in {one.days} days"
    if one.unknown:
        reasons = ", ".join(f"{runs} {reason}" for reason, runs in one.unknown_reasons.items())
        yield f"  {one.unknown} more runs could not tell, and are not counted{reasons and f': {reasons}'}"
    yield f"  objective {100 * one.wanted:g} %; error budget left: {100 * one.left:.1f} %"
    rows = [("  burn rate", "over", "and over", "alerts from", "")]
    for burn in one.burns:
        alert = f"ALERT: {burn.action}" if burn.alerts else ""
        rates = (f"  {burn.rate:.1f} / {burn.short_rate:.1f}", _time(burn.minutes), _time(burn.short_minutes))
        rows.append((*rates, f"{burn.threshold:.1f}", alert))
    yield from columns(rows)


def tell_checks(checks: Iterable[CheckSum], wanted: float) -> Iterator[str]:
    """A line for each check that missed the objective, the worst first."""
    below = [check for check in checks if check.decided and check.good / check.decided < wanted]
    below.sort(key=lambda check: (check.good / check.decided, check.id))
    if below:
        rows = [("below it", "failed", "of", "check")]
        rows += [
            (share(check.good, check.decided), str(check.bad), str(check.decided), shown(check.id)) for check in below
        ]
        yield from columns(rows)


def tell_objective_json(objective: Objective) -> dict[str, Any]:
    """The same as JSON builtins."""
    rates = [{**asdict(burn), "alerts": burn.alerts} for burn in objective.burns]
    return {**asdict(objective), "availability": objective.availability, "burns": rates}


def _rate(wanted: float, verdicts: Iterable[tuple[int, str]], since: int) -> float:
    """How fast the budget burned: the share of bad runs, as a multiple of the share that is allowed."""
    said = [verdict for started, verdict in verdicts if started >= since and verdict != "inconclusive"]
    return said.count("fail") / len(said) / (1 - wanted) if said else 0.0


def _time(minutes: int) -> str:
    hours = minutes // 60
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h" if hours < 24 else f"{hours // 24} d"  # noqa: PLR2004  # hours of a day
