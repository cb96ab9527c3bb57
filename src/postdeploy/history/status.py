"""What a status page says of a target: gathered with a handful of statements, put together by pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from postdeploy.domain.result import Outcome
from postdeploy.history.buckets import percentile
from postdeploy.history.database import Database
from postdeploy.history.reading import RunRow, last_runs, messages, outcomes, release_changes, verdict_changes
from postdeploy.history.sums import CheckSum, HourSum, check_latencies, check_sums, hour_sums, target_latencies
from postdeploy.lazy_dataclass import dataclass

__all__ = [
    "DAYS",
    "CheckStatus",
    "Day",
    "Outage",
    "Status",
    "availability",
    "days_of",
    "gather_status",
    "outages_of",
]

DAYS: Final = 90
"""How far back a page looks."""

_CHECK_DAYS: Final = 30
_TIMED_DAYS: Final = 7
_OUTAGES: Final = 20
_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR

Spans = tuple[int, ...]
_SPANS: Final[Spans] = (1, 7, 30, 90)


@dataclass(frozen=True, slots=True)
class Day:
    """How the runs of one day ended, and percentiles of what passed at once, in seconds; ``day`` is from the epoch."""

    day: int
    good: int = 0
    bad: int = 0
    unknown: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    releases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outage:
    """From the first run that failed to the next one that passed (ms); ``end`` is None while it lasts."""

    begin: int
    end: int | None
    checks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """One check: how the last run saw it (None if it is not there any more), the last thirty days, times of seven."""

    sums: CheckSum
    last: str | None
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that a page says of one target; ``availability`` is by number of days, None without any run."""

    target: str
    last: RunRow
    availability: Mapping[int, float | None]
    days: tuple[Day, ...]
    releases: tuple[tuple[int, str], ...]
    outages: tuple[Outage, ...]
    checks: tuple[CheckStatus, ...]


def gather_status(database: Database, target: str, now: float) -> Status | None:
    """What is known of a target at a moment (seconds since the epoch); None if no run is. Raises HistoryError."""
    ms = int(1000 * now)
    today, since = ms // _DAY, ms - DAYS * _DAY
    runs = last_runs(database, target, 1)
    if not runs:
        return None
    hours = hour_sums(database, target, since // _HOUR)
    releases = release_changes(database, target, since)
    changes = verdict_changes(database, target, since)
    first = [number for number, _, verdict in changes if verdict == "fail"][-_OUTAGES:]
    sums = check_sums(database, target, today - _CHECK_DAYS)
    times = check_latencies(database, target, today - _TIMED_DAYS)
    latencies = target_latencies(database, target, today - DAYS)
    return Status(
        target=target,
        last=runs[0],
        availability={span: availability(hours, ms // _HOUR - 24 * span) for span in _SPANS},
        days=tuple(days_of(hours, latencies, releases, today)),
        releases=tuple(releases),
        outages=tuple(outages_of(changes, messages(database, first)))[:_OUTAGES],
        checks=tuple(checks_of(sums, times, outcomes(database, [runs[0].number])[runs[0].number])),
    )


def availability(hours: Iterable[HourSum], since: int) -> float | None:
    """The share of good runs since an hour, of those that could tell."""
    told = [hour for hour in hours if hour.hour > since]
    good, bad = sum(hour.good for hour in told), sum(hour.bad for hour in told)
    return good / (good + bad) if good + bad else None


def days_of(
    hours: Iterable[HourSum],
    latencies: Mapping[int, Mapping[int, int]],
    releases: Iterable[tuple[int, str]],
    today: int,
) -> Iterable[Day]:
    """The last days, oldest first, with those on which nothing ran."""
    by_day: dict[int, list[int]] = {}
    for hour in hours:
        counts = by_day.setdefault(hour.hour // 24, [0, 0, 0])
        counts[:] = [counts[0] + hour.good, counts[1] + hour.bad, counts[2] + hour.unknown]
    began: dict[int, list[str]] = {}
    for moment, release in releases:
        began.setdefault(moment // _DAY, []).append(release)
    for day in range(today - DAYS + 1, today + 1):
        samples = latencies.get(day, {})
        p50, p95, p99 = (percentile(samples, percent) for percent in (50, 95, 99))
        good, bad, unknown = by_day.get(day, (0, 0, 0))
        yield Day(day, good, bad, unknown, p50, p95, p99, tuple(began.get(day, ())))


def outages_of(
    changes: Sequence[tuple[int, int, str]], told: Mapping[int, Sequence[tuple[str, str]]]
) -> Iterable[Outage]:
    """The outages of a target, the newest first; ``told`` has why checks failed, by number of run."""
    ends = [*(started for _, started, _ in changes), None][1:]  # none at all where no run could tell yet
    found = [
        Outage(started, end, tuple(told.get(number, ())))
        for (number, started, verdict), end in zip(changes, ends, strict=True)
        if verdict == "fail"
    ]
    return reversed(found)


def checks_of(
    sums: Iterable[CheckSum], times: Mapping[int, Mapping[int, int]], last: Mapping[str, Outcome]
) -> Iterable[CheckStatus]:
    """The checks, those first that did not pass last time, then those that failed most often."""
    found = [
        CheckStatus(
            check,
            last[check.id].value if check.id in last else None,
            percentile(times.get(check.number, {}), 50),
            percentile(times.get(check.number, {}), 95),
        )
        for check in sums
    ]
    rank = {"failed": 0, "blocked": 1, "errored": 2, "not_run": 3, "skipped": 5, "passed": 5, None: 6}
    return sorted(found, key=lambda one: (rank[one.last], -one.sums.bad, one.sums.id))
