"""Questions to a history; each is one statement, answered from sums wherever the time asked for may be long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from postdeploy.domain.result import Outcome
from postdeploy.errors import HistoryError
from postdeploy.history.database import Database
from postdeploy.lazy_dataclass import dataclass

__all__ = [
    "RunRow",
    "durations",
    "find_run",
    "last_good_release",
    "last_runs",
    "messages",
    "messages_by_id",
    "outcomes",
    "release_changes",
    "runs_before",
    "target_names",
    "target_number",
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


def target_names(database: Database) -> list[str]:
    """The targets that runs are of."""
    return [row[0] for row in database.rows("SELECT name FROM targets ORDER BY name")]


def last_runs(database: Database, target: str, most: int, *, before: int | None = None, since: int = 0) -> list[RunRow]:
    """The newest runs of a target, newest first, that began at or after ``since`` and before ``before`` (ms)."""
    rows = database.rows(
        f"SELECT {', '.join(_RUN)} FROM runs WHERE target_no = :target AND started >= :since "  # noqa: S608
        "AND started < :before ORDER BY started DESC, run_no DESC LIMIT :most",
        target=target_number(database, target),
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
        target=target_number(database, target),
        release=release,
        most=most,
    )
    return [_run(row, target) for row in rows]


def last_good_release(database: Database, target: str) -> str | None:
    """The release of the newest run of a target that passed; None if none did."""
    rows = database.rows(
        "SELECT release FROM runs WHERE target_no = :target AND verdict = 'pass' AND release IS NOT NULL "
        "ORDER BY started DESC, run_no DESC LIMIT 1",
        target=target_number(database, target),
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


def verdicts_since(database: Database, target: str, since: int) -> list[tuple[int, str]]:
    """When runs began (ms), and their verdicts, oldest first."""
    rows = database.rows(
        "SELECT started, verdict FROM runs WHERE target_no = :target AND started >= :since ORDER BY started",
        target=target_number(database, target),
        since=since,
    )
    return [(started, verdict) for started, verdict in rows]


def reasons_of_doubt(database: Database, target: str, since: int) -> dict[str, int]:
    """Why runs were inconclusive since a moment (ms), and how many; the most frequent reason first."""
    rows = database.rows(
        "SELECT reason, COUNT(*) FROM runs WHERE target_no = :target AND started >= :since "
        "AND verdict = 'inconclusive' GROUP BY reason ORDER BY COUNT(*) DESC, reason",
        target=target_number(database, target),
        since=since,
    )
    return {reason: int(runs) for reason, runs in rows}


def verdict_changes(database: Database, target: str, since: int) -> list[tuple[int, int, str]]:
    """Where one verdict followed another, as number of run, moment (ms) and verdict; inconclusive ones do not count."""
    rows = database.rows(
        "SELECT run_no, started, verdict FROM (SELECT run_no, started, verdict, LAG(verdict) OVER (ORDER BY started) "
        "AS before FROM runs WHERE target_no = :target AND started >= :since AND verdict <> 'inconclusive') AS told "
        "WHERE before IS NULL OR before <> verdict ORDER BY started",
        target=target_number(database, target),
        since=since,
    )
    return [(number, started, verdict) for number, started, verdict in rows]


def release_changes(database: Database, target: str, since: int) -> list[tuple[int, str]]:
    """When (ms) runs began to be about another release, and about which."""
    rows = database.rows(
        "SELECT started, release FROM (SELECT started, release, LAG(release) OVER (ORDER BY started) AS before "
        "FROM runs WHERE target_no = :target AND started >= :since AND release IS NOT NULL) AS told "
        "WHERE before IS NULL OR before <> release ORDER BY started",
        target=target_number(database, target),
        since=since,
    )
    return [(started, release) for started, release in rows]


def target_number(database: Database, target: str) -> int:
    """The number of a target. Raises HistoryError for one that no run is of."""
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
