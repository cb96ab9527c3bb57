"""A run goes into the history whole or not at all, and once, however often and from wherever it is written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from postdeploy.domain.result import Outcome
from postdeploy.domain.retention import Retention
from postdeploy.history.buckets import bucket_of
from postdeploy.history.database import Database
from postdeploy.history.facts import CheckMemory, RunMemory
from postdeploy.history.schema import PHASES

__all__ = ["DAY", "HOUR", "number_target", "prune", "write_run"]

HOUR: Final = 3_600_000
"""Milliseconds."""

DAY: Final = 24 * HOUR

_AT_ONCE: Final = 200
"""Runs that are forgotten with one write: a history that grew old must not make a verification wait."""

_COUNTS: Final = tuple(Outcome)

_RUN: Final = (
    "run_id", "target_no", "mode", "started", "finished", "verdict", "reason", "action", "summary", "expected",
    "release", "observed", "policy", "config", "tool", "url", "complete", "planned", "flaky",
    *(outcome.value for outcome in _COUNTS),
)  # fmt: skip


def _insert(table: str, columns: tuple[str, ...], more: str = "") -> str:
    values = ", ".join(f":{name}" for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) {more}"  # noqa: S608  # our own names


def _sum(table: str, key: tuple[str, ...], counts: tuple[str, ...]) -> str:
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counts)
    return _insert(table, (*key, *counts), f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}")


_OUTCOMES: Final = (*(outcome.value for outcome in _COUNTS), "flaky")
_ADD_TARGET: Final = _insert("targets", ("name",), "ON CONFLICT (name) DO NOTHING")
_ADD_RUN: Final = _insert("runs", _RUN, "ON CONFLICT (run_id) DO NOTHING RETURNING run_no")
_ADD_CHECK: Final = _insert(
    "checks",
    ("target_no", "check_id", "name", "kind", "severity", "owner", "quarantine", "seen"),
    "ON CONFLICT (target_no, check_id) DO UPDATE SET name = excluded.name, kind = excluded.kind, "
    "severity = excluded.severity, owner = excluded.owner, quarantine = excluded.quarantine, seen = excluded.seen "
    "WHERE excluded.seen >= checks.seen",
)
_ADD_RESULT: Final = _insert("results", ("run_no", "check_no", "outcome", "flaky", "attempts", "duration", *PHASES))
_ADD_MESSAGE: Final = _insert("messages", ("run_no", "check_no", "message"))
_ADD_DAY: Final = _sum("check_days", ("check_no", "day"), _OUTCOMES)
_ADD_HOUR: Final = _sum("target_hours", ("target_no", "hour"), ("pass", "fail", "inconclusive"))
_ADD_LATENCY: Final = _sum("check_latencies", ("check_no", "day", "bucket"), ("samples",))
_ADD_LATENCIES: Final = _sum("target_latencies", ("target_no", "day", "bucket"), ("samples",))


def write_run(database: Database, run: RunMemory, retention: Retention, *, now: float) -> bool:
    """Write a run; False if it is there already, or older than what is kept. Raises HistoryError.

    ``now`` is in seconds since the epoch. A little of what has become too old is forgotten at the same time.
    """
    started = int(1000 * run.started)
    if started < int(1000 * now) - retention.sums * DAY:
        return False
    with database.writing():
        run_no = _add_run(database, run, started)
        if run_no is not None:
            numbers = _check_numbers(database, run, started)
            _add_results(database, run, run_no, numbers)
            _add_sums(database, run, started, numbers)
        _forget(database, retention, now)
    return run_no is not None


def prune(database: Database, retention: Retention, *, now: float) -> int:
    """Forget everything that is too old; returns how many runs lost results or were forgotten. Raises HistoryError."""
    forgotten = 0
    while True:
        with database.writing():
            portion = _forget(database, retention, now)
        if not portion:
            return forgotten
        forgotten += portion


def number_target(database: Database, name: str) -> int:
    """The number of a target, which it is given if it has none. Raises HistoryError."""
    database.execute(_ADD_TARGET, name=name)
    return int(database.rows("SELECT target_no FROM targets WHERE name = :name", name=name)[0][0])


def _add_run(database: Database, run: RunMemory, started: int) -> int | None:
    outcomes = Counter(check.outcome for check in run.checks)
    plain = {name: getattr(run, name) for name in _RUN if hasattr(run, name)}
    found = database.rows(
        _ADD_RUN,
        **plain
        | {outcome.value: outcomes[outcome] for outcome in _COUNTS}
        | {
            "run_id": run.id,
            "target_no": number_target(database, run.target),
            "started": started,
            "finished": int(1000 * run.finished),
            "observed": json.dumps(dict(run.observed)),
            "complete": int(run.complete),
            "planned": len(run.checks),
            "flaky": sum(check.flaky for check in run.checks),
        },
    )
    return int(found[0][0]) if found else None


def _check_numbers(database: Database, run: RunMemory, started: int) -> Mapping[str, int]:
    target_no = number_target(database, run.target)
    database.execute_many(_ADD_CHECK, [_check(check, target_no, started) for check in run.checks])
    rows = database.rows("SELECT check_id, check_no FROM checks WHERE target_no = :target", target=target_no)
    return dict(rows)


def _check(check: CheckMemory, target_no: int, started: int) -> dict[str, Any]:
    return {
        "target_no": target_no,
        "check_id": check.id,
        "name": check.name,
        "kind": check.kind,
        "severity": check.severity,
        "owner": check.owner,
        "quarantine": json.dumps(dict(check.quarantine), ensure_ascii=False) if check.quarantine else None,
        "seen": started,
    }


def _add_results(database: Database, run: RunMemory, run_no: int, numbers: Mapping[str, int]) -> None:
    rows = [_result(check, run_no, numbers[check.id]) for check in run.checks]
    database.execute_many(_ADD_RESULT, sorted(rows, key=lambda row: row["check_no"]))
    messages = [
        {"run_no": run_no, "check_no": numbers[check.id], "message": check.message.replace("\0", "")}
        for check in run.checks
        if check.message
    ]
    if messages:
        database.execute_many(_ADD_MESSAGE, messages)


def _result(check: CheckMemory, run_no: int, check_no: int) -> dict[str, Any]:
    return {
        "run_no": run_no,
        "check_no": check_no,
        "outcome": check.outcome.value,
        "flaky": int(check.flaky),
        "attempts": check.attempts,
        "duration": _microseconds(check.duration),
        **{phase: _microseconds(check.phases.get(phase)) for phase in PHASES},
    }


def _add_sums(database: Database, run: RunMemory, started: int, numbers: Mapping[str, int]) -> None:
    target_no, day = number_target(database, run.target), started // DAY
    verdicts = {name: int(run.verdict == name) for name in ("pass", "fail", "inconclusive")}
    database.execute(_ADD_HOUR, target_no=target_no, hour=started // HOUR, **verdicts)
    database.execute_many(_ADD_DAY, [_outcomes(check, numbers[check.id], day) for check in run.checks])
    timed = list(_timed(run))
    if timed:
        samples = [{"check_no": numbers[name], "day": day, "bucket": bucket, "samples": 1} for name, bucket in timed]
        database.execute_many(_ADD_LATENCY, samples)
        buckets = Counter(bucket for _, bucket in timed)
        database.execute_many(
            _ADD_LATENCIES,
            [{"target_no": target_no, "day": day, "bucket": key, "samples": n} for key, n in sorted(buckets.items())],
        )


def _timed(run: RunMemory) -> Iterator[tuple[str, int]]:
    """The checks whose duration says something of the target: they passed, and at once."""
    for check in run.checks:
        if check.outcome is Outcome.PASSED and not check.flaky and check.duration is not None:
            yield check.id, bucket_of(check.duration)


def _outcomes(check: CheckMemory, check_no: int, day: int) -> dict[str, int]:
    counts = {outcome.value: int(check.outcome is outcome) for outcome in _COUNTS}
    return {"check_no": check_no, "day": day, **counts, "flaky": int(check.flaky)}


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(1_000_000 * seconds)


def _forget(database: Database, retention: Retention, now: float) -> int:
    """A portion of what is too old: results first, and the runs themselves with all that was summed up of their day."""
    begin = int(1000 * now) - retention.results * DAY
    old = database.rows(
        "SELECT run_no FROM runs WHERE kept = 1 AND started < :begin ORDER BY started LIMIT :most",
        begin=begin,
        most=_AT_ONCE,
    )
    for (run_no,) in old:
        for table in ("results", "messages"):
            database.execute(f"DELETE FROM {table} WHERE run_no = :run_no", run_no=run_no)  # noqa: S608  # two names
        database.execute("UPDATE runs SET kept = 0 WHERE run_no = :run_no", run_no=run_no)
    return len(old) + _forget_sums(database, (int(1000 * now) - retention.sums * DAY) // DAY)


def _forget_sums(database: Database, day: int) -> int:
    """Days that are over: a day is forgotten whole, so that no sum stays without the runs that it is of."""
    if not database.rows("SELECT 1 FROM runs WHERE kept = 0 AND started < :end LIMIT 1", end=day * DAY):
        return 0
    for table in ("check_days", "check_latencies", "target_latencies"):
        database.execute(f"DELETE FROM {table} WHERE day < :day", day=day)  # noqa: S608  # three names
    database.execute("DELETE FROM target_hours WHERE hour < :hour", hour=24 * day)
    return database.execute("DELETE FROM runs WHERE kept = 0 AND started < :end", end=day * DAY)
