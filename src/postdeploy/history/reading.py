"""Questions to a history; each is one statement, answered from sums wherever the time asked for may be long."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from postdeploy.domain.result import Outcome
from postdeploy.errors import HistoryError
from postdeploy.history.database import Database
from postdeploy.lazy_dataclass import dataclass, field

__all__ = [
    "CheckSum",
    "HourSum",
    "RunRow",
    "check_latencies",
    "check_sums",
    "durations",
    "find_run",
    "hour_sums",
    "last_good_release",
    "last_runs",
    "messages",
    "messages_by_id",
    "outcomes",
    "release_changes",
    "runs_before",
    "target_latencies",
    "target_names",
    "verdict_changes",
    "verdicts_since",
]

_RUN: Final = (
    "run_no", "run_id", "mode", "started", "finished", "verdict", "reason", "action", "summary", "expected",
    "release", "complete", "planned", "flaky", "url", *(outcome.value for outcome in Outcome),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it stands in the history; times are milliseconds since the epoch."""

    number: int
    id: str
    target: str
    mode: str
    started: int
    finished: int
    verdict: str
    reason: str
    action: str
    summary: str
    expected: str | None
    release: str | None
    complete: bool
    planned: int
    flaky: int
    url: str | None
    counts: Mapping[str, int]


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


def target_names(database: Database) -> list[str]:
    """The targets that runs are of."""
    return [row[0] for row in database.rows("SELECT name FROM targets ORDER BY name")]


def last_runs(database: Database, target: str, most: int, *, before: int | None = None, since: int = 0) -> list[RunRow]:
    """The newest runs of a target, newest first, that began at or after ``since`` and before ``before`` (ms)."""
    rows = database.rows(
        f"SELECT {', '.join(_RUN)} FROM runs WHERE target_no = :target AND started >= :since "  # noqa: S608
        "AND started < :before ORDER BY started DESC, run_no DESC LIMIT :most",
        target=_number(database, target),
        since=since,
        before=2**62 if before is None else before,
        most=most,
    )
    return [_run(row, target) for row in rows]


def runs_before(database: Database, target: str, release: str, most: int) -> list[RunRow]:
    """The newest complete runs of a target that are about another release and were decided, newest first."""
    rows = database.rows(
        f"SELECT {', '.join(_RUN)} FROM runs WHERE target_no = :target AND complete = 1 AND verdict <> 'inconclusive' "  # noqa: S608
        "AND release <> :release ORDER BY started DESC, run_no DESC LIMIT :most",
        target=_number(database, target),
        release=release,
        most=most,
    )
    return [_run(row, target) for row in rows]


def last_good_release(database: Database, target: str) -> str | None:
    """The release of the newest run of a target that passed; None if none did."""
    rows = database.rows(
        "SELECT release FROM runs WHERE target_no = :target AND verdict = 'pass' AND release IS NOT NULL "
        "ORDER BY started DESC, run_no DESC LIMIT 1",
        target=_number(database, target),
    )
    return rows[0][0] if rows else None


def find_run(database: Database, run_id: str) -> RunRow:
    """The run of this id. Raises HistoryError if it is not there."""
    found = database.rows(
        f"SELECT t.name, {', '.join(f'r.{name}' for name in _RUN)} FROM runs r JOIN targets t USING (target_no) "  # noqa: S608
        "WHERE r.run_id = :id",
        id=run_id,
    )
    if not found:
        raise HistoryError(f"the history has no run {run_id!r}")
    target, *row = found[0]
    return _run(row, target)


def outcomes(database: Database, runs: Sequence[int]) -> dict[int, dict[str, Outcome]]:
    """By number of run and id of check, how the check ended."""
    found: dict[int, dict[str, Outcome]] = {run: {} for run in runs}
    for run, check, outcome in database.rows(
        f"SELECT r.run_no, c.check_id, r.outcome FROM results r JOIN checks c USING (check_no) {_among(runs)}"  # noqa: S608
    ):
        found[run][check] = Outcome(outcome)
    return found


def durations(database: Database, runs: Sequence[int]) -> dict[str, list[float]]:
    """By id of check, the seconds of its passes at once in these runs."""
    found: dict[str, list[float]] = {}
    for check, duration in database.rows(
        "SELECT c.check_id, r.duration FROM results r JOIN checks c USING (check_no) "  # noqa: S608
        f"{_among(runs)} AND r.outcome = 'passed' AND r.flaky = 0 AND r.duration IS NOT NULL"
    ):
        found.setdefault(check, []).append(duration / 1_000_000)
    return found


def messages(database: Database, runs: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """By number of run, the names of checks that did not pass, or not at once, and why."""
    found: dict[int, list[tuple[str, str]]] = {}
    for run, name, message in database.rows(
        "SELECT r.run_no, c.name, r.message FROM messages r JOIN checks c USING (check_no) "  # noqa: S608
        f"{_among(runs)} ORDER BY r.run_no, r.check_no"
    ):
        found.setdefault(run, []).append((name, message))
    return found


def messages_by_id(database: Database, run: int) -> dict[str, str]:
    """By id of check, why it did not pass in a run, or not at once."""
    rows = database.rows(
        "SELECT c.check_id, r.message FROM messages r JOIN checks c USING (check_no) WHERE r.run_no = :run", run=run
    )
    return dict(rows)


def check_sums(database: Database, target: str, since: int) -> list[CheckSum]:
    """Every check that ran since a day (counted from the epoch)."""
    counts = ("passed", "failed", "errored", "skipped", "blocked", "not_run")
    sums = ", ".join(f"SUM(d.{name})" for name in (*counts, "flaky"))
    facts = "c.check_no, c.check_id, c.name, c.kind, c.severity, c.owner, c.quarantine, c.seen"
    rows = database.rows(
        f"SELECT {facts}, {sums} FROM checks c JOIN check_days d USING (check_no) "  # noqa: S608
        f"WHERE c.target_no = :target AND d.day >= :since GROUP BY {facts} ORDER BY c.check_id",
        target=_number(database, target),
        since=since,
    )
    return [_check(row, counts) for row in rows]


def hour_sums(database: Database, target: str, since: int) -> list[HourSum]:
    """The hours since one (counted from the epoch) in which there were runs, oldest first."""
    rows = database.rows(
        "SELECT hour, pass, fail, inconclusive FROM target_hours "
        "WHERE target_no = :target AND hour >= :since ORDER BY hour",
        target=_number(database, target),
        since=since,
    )
    return [HourSum(*row) for row in rows]


def verdicts_since(database: Database, target: str, since: int) -> list[tuple[int, str]]:
    """When runs began (ms), and their verdicts, oldest first."""
    rows = database.rows(
        "SELECT started, verdict FROM runs WHERE target_no = :target AND started >= :since ORDER BY started",
        target=_number(database, target),
        since=since,
    )
    return [(started, verdict) for started, verdict in rows]


def verdict_changes(database: Database, target: str, since: int) -> list[tuple[int, int, str]]:
    """Where one verdict followed another, as number of run, moment (ms) and verdict; inconclusive ones do not count."""
    rows = database.rows(
        "SELECT run_no, started, verdict FROM (SELECT run_no, started, verdict, LAG(verdict) OVER (ORDER BY started) "
        "AS before FROM runs WHERE target_no = :target AND started >= :since AND verdict <> 'inconclusive') AS told "
        "WHERE before IS NULL OR before <> verdict ORDER BY started",
        target=_number(database, target),
        since=since,
    )
    return [(number, started, verdict) for number, started, verdict in rows]


def release_changes(database: Database, target: str, since: int) -> list[tuple[int, str]]:
    """When (ms) runs began to be about another release, and about which."""
    rows = database.rows(
        "SELECT started, release FROM (SELECT started, release, LAG(release) OVER (ORDER BY started) AS before "
        "FROM runs WHERE target_no = :target AND started >= :since AND release IS NOT NULL) AS told "
        "WHERE before IS NULL OR before <> release ORDER BY started",
        target=_number(database, target),
        since=since,
    )
    return [(started, release) for started, release in rows]


def target_latencies(database: Database, target: str, since: int) -> dict[int, dict[int, int]]:
    """By day, how many passes at once of all checks fell into each bucket."""
    return _by_first(
        database.rows(
            "SELECT day, bucket, samples FROM target_latencies WHERE target_no = :target AND day >= :since",
            target=_number(database, target),
            since=since,
        )
    )


def check_latencies(database: Database, target: str, since: int) -> dict[int, dict[int, int]]:
    """By number of check, how many of its passes at once fell into each bucket."""
    return _by_first(
        database.rows(
            "SELECT l.check_no, l.bucket, SUM(l.samples) FROM checks c JOIN check_latencies l USING (check_no) "
            "WHERE c.target_no = :target AND l.day >= :since GROUP BY l.check_no, l.bucket",
            target=_number(database, target),
            since=since,
        )
    )


def _number(database: Database, target: str) -> int:
    found = database.rows("SELECT target_no FROM targets WHERE name = :name", name=target)
    if not found:
        known = ", ".join(target_names(database)) or "none yet"
        raise HistoryError(f"the history has no run of target {target!r}; it has: {known}")
    return int(found[0][0])


def _among(runs: Sequence[int]) -> str:
    """A condition on the numbers of runs; they are ours, and no text."""
    return f"WHERE r.run_no IN ({', '.join(str(int(run)) for run in runs) or 'NULL'})"


def _run(row: Sequence[Any], target: str) -> RunRow:
    told = dict(zip(_RUN, row, strict=True))
    counts = {outcome.value: told.pop(outcome.value) for outcome in Outcome}
    number, name = told.pop("run_no"), told.pop("run_id")
    return RunRow(number=number, id=name, target=target, counts=counts, **told | {"complete": bool(told["complete"])})


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
