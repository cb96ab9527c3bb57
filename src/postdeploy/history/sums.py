"""Sums by check, day and hour: what came of checks and runs over a time, however many there were."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from postdeploy.history.database import Database
from postdeploy.history.reading import target_number
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["CheckSum", "HourSum", "check_latencies", "check_sums", "hour_sums", "target_latencies"]


@dataclass(frozen=True, slots=True)
class CheckSum:
    """What came of one check over some days; ``seen`` is when the last run began that had it."""

    number: int
    id: str
    name: str
    kind: str
    severity: str
    owner: str | None
    quarantine: Mapping[str, str] | None
    seen: int
    counts: Mapping[str, int] = field(default_factory=dict)
    flaky: int = 0

    @property
    def decided(self) -> int:
        """How often it was seen to work, or not to."""
        return self.good + self.bad

    @property
    def good(self) -> int:
        """How often it passed."""
        return self.counts.get("passed", 0)

    @property
    def bad(self) -> int:
        """How often the target was wrong: it failed, or its service was down."""
        return self.counts.get("failed", 0) + self.counts.get("blocked", 0)


@dataclass(frozen=True, slots=True)
class HourSum:
    """How the runs of one hour ended; ``hour`` counts from the epoch."""

    hour: int
    good: int
    bad: int
    unknown: int


def check_sums(database: Database, target: str, since: int) -> list[CheckSum]:
    """Every check that ran since a day (counted from the epoch)."""
    counts = ("passed", "failed", "errored", "skipped", "blocked", "not_run")
    sums = ", ".join(f"SUM(d.{name})" for name in (*counts, "flaky"))
    facts = "c.check_no, c.check_id, c.name, c.kind, c.severity, c.owner, c.quarantine, c.seen"
    rows = database.rows(
        f"SELECT {facts}, {sums} FROM checks c JOIN check_days d USING (check_no) "  # noqa: S608
        f"WHERE c.target_no = :target AND d.day >= :since GROUP BY {facts} ORDER BY c.check_id",
        target=target_number(database, target),
        since=since,
    )
    return [_check(row, counts) for row in rows]


def hour_sums(database: Database, target: str, since: int) -> list[HourSum]:
    """The hours since one (counted from the epoch) in which there were runs, oldest first."""
    rows = database.rows(
        "SELECT hour, pass, fail, inconclusive FROM target_hours "
        "WHERE target_no = :target AND hour >= :since ORDER BY hour",
        target=target_number(database, target),
        since=since,
    )
    return [HourSum(*row) for row in rows]


def target_latencies(database: Database, target: str, since: int) -> dict[int, dict[int, int]]:
    """By day, how many passes at once of all checks fell into each bucket."""
    return _by_first(
        database.rows(
            "SELECT day, bucket, samples FROM target_latencies WHERE target_no = :target AND day >= :since",
            target=target_number(database, target),
            since=since,
        )
    )


def check_latencies(database: Database, target: str, since: int) -> dict[int, dict[int, int]]:
    """By number of check, how many of its passes at once fell into each bucket."""
    return _by_first(
        database.rows(
            "SELECT l.check_no, l.bucket, SUM(l.samples) FROM checks c JOIN check_latencies l USING (check_no) "
            "WHERE c.target_no = :target AND l.day >= :since GROUP BY l.check_no, l.bucket",
            target=target_number(database, target),
            since=since,
        )
    )


def _check(row: Sequence[Any], counts: Sequence[str]) -> CheckSum:
    number, check_id, name, kind, severity, owner, quarantine, seen, *sums = row
    entry = json.loads(quarantine) if quarantine else None
    by_outcome = dict(zip(counts, map(int, sums[:-1]), strict=True))
    return CheckSum(number, check_id, name, kind, severity, owner, entry, seen, by_outcome, int(sums[-1]))


def _by_first(rows: Iterable[Sequence[Any]]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    for key, bucket, samples in rows:
        found.setdefault(key, {})[bucket] = int(samples)
    return found
