from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from postdeploy.domain.retention import Retention
from postdeploy.errors import HistoryError
from postdeploy.history.database import Database, open_database
from postdeploy.history.place import Place
from postdeploy.history.reading import durations, last_runs, messages, outcomes, verdicts_since
from postdeploy.history.schema import MIGRATIONS
from postdeploy.history.sums import check_latencies, check_sums, hour_sums, target_latencies
from postdeploy.history.writing import prune, write_run
from tests.history.memories import NOW, check, run

Open = Callable[[Place], Database]
KEEP = Retention()
DAY = 86400.0
TODAY = int(NOW // DAY)

_WRITER = """
import sys
from pathlib import Path
from postdeploy.history.database import open_database
from postdeploy.history.place import parse_place
from postdeploy.domain.retention import Retention
from postdeploy.history.writing import write_run
from tests.history.memories import NOW, check, run
place = parse_place(sys.argv[1], Path())
for number in range(8):
    for name in (f"{sys.argv[2]}-{number}", f"shared-{number}"):
        database = open_database(place, create=True, patience=30)
        write_run(database, run(name, check("a"), check("b", "failed"), at=number), Retention(), now=NOW)
        database.close()
"""


def test_a_run_comes_back(place: Place, opened: Open) -> None:
    """What was written is read: the run, its checks, their times and messages."""
    history = opened(place)
    assert write_run(history, run("run-1", check("a"), check("b", "failed"), check("c", flaky=True)), KEEP, now=NOW)
    (row,) = last_runs(history, "staging", 5)
    assert (row.id, row.verdict, row.release, row.planned, row.flaky) == ("run-1", "fail", "r2", 3, 1)
    assert (row.counts["passed"], row.counts["failed"], row.started) == (2, 1, int(1000 * NOW))
    assert outcomes(history, [row.number]) == {row.number: {"a": "passed", "b": "failed", "c": "passed"}}
    assert durations(history, [row.number]) == {"a": [0.1]}
    assert messages(history, [row.number]) == {row.number: [("b", "b failed")]}
    assert verdicts_since(history, "staging", 0) == [(row.started, "fail")]


def test_once(place: Place, opened: Open) -> None:
    """Writing a run again changes nothing, whatever it says then."""
    history = opened(place)
    before = None
    for outcome in ("passed", "passed", "failed"):
        written = write_run(history, run("run-1", check("a", outcome)), KEEP, now=NOW)
        assert written is (before is None)
        now = _everything(history)
        assert before is None or now == before
        before = now


def test_sums(place: Place, opened: Open) -> None:
    """Days and hours add up what runs saw; only passes at once count as times."""
    history = opened(place)
    for number, outcome in enumerate(["passed", "failed", "passed", "errored"]):
        write_run(history, run(f"r{number}", check("a", outcome), at=number), KEEP, now=NOW)
    write_run(history, run("r9", check("a", flaky=True), at=DAY, verdict="inconclusive"), KEEP, now=NOW)
    (a,) = check_sums(history, "staging", TODAY)
    assert (a.good, a.bad, a.flaky, a.counts["errored"]) == (3, 1, 1, 1)
    (later,) = check_sums(history, "staging", TODAY + 1)
    assert (later.good, later.bad) == (1, 0)
    assert [(hour.good, hour.bad, hour.unknown) for hour in hour_sums(history, "staging", 0)] == [(3, 1, 0), (0, 0, 1)]
    assert list(check_latencies(history, "staging", 0).values()) == [{72: 2}]
    assert target_latencies(history, "staging", 0) == {TODAY: {72: 2}}


def test_newest_facts_of_a_check_stay(place: Place, opened: Open) -> None:
    """A run that is imported late does not bring back what a check was called then."""
    history = opened(place)
    write_run(history, run("new", check("a", owner="web"), at=10), KEEP, now=NOW)
    write_run(history, run("old", check("a", owner="somebody"), at=0), KEEP, now=NOW)
    assert [each.owner for each in check_sums(history, "staging", 0)] == ["web"]


def test_several_writers(place: Place, opened: Open) -> None:
    """Three processes that begin the history at the same time write every run, and each of them once."""
    name = str(place.file or place.url)
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, name, str(number)]) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    history = opened(place)
    assert len(last_runs(history, "staging", 1000)) == 3 * 8 + 8
    a, b = check_sums(history, "staging", 0)
    assert (a.good, b.bad) == (32, 32)
    assert sum(hour.bad for hour in hour_sums(history, "staging", 0)) == 32


def test_retention(place: Place, opened: Open) -> None:
    """Results are forgotten first, then runs with their sums; what was forgotten cannot come in again."""
    history = opened(place)
    rule = Retention(results=10, sums=20)
    for name, days in (("new", 0), ("old", -12), ("oldest", -22)):
        write_run(history, run(name, check("a", "failed"), at=days * DAY), rule, now=NOW - 15 * DAY)
    assert len(last_runs(history, "staging", 9)) == 3
    assert prune(history, rule, now=NOW) == 3
    rows = {row.id: row.number for row in last_runs(history, "staging", 9)}
    assert rows.keys() == {"new", "old"}
    assert outcomes(history, list(rows.values())) == {rows["new"]: {"a": "failed"}, rows["old"]: {}}
    assert messages(history, list(rows.values())).keys() == {rows["new"]}
    assert [each.bad for each in check_sums(history, "staging", 0)] == [2]
    assert len(hour_sums(history, "staging", 0)) == 2
    assert not write_run(history, run("oldest", at=-22 * DAY), rule, now=NOW)
    assert not write_run(history, run("old", at=-12 * DAY), rule, now=NOW)
    assert prune(history, rule, now=NOW) == 0


def test_a_newer_history_is_left_alone(place: Place, opened: Open) -> None:
    """A schema of a later version is neither read nor written."""
    history, newer = opened(place), len(MIGRATIONS) + 1
    statement = f"PRAGMA user_version = {newer}" if place.file else f"UPDATE schema_version SET version = {newer}"
    history.execute(statement)
    with pytest.raises(HistoryError, match="newer version"):
        open_database(place)


def test_unknown_target(place: Place, opened: Open) -> None:
    """A target that no run is of is told, with those that there are."""
    history = opened(place)
    write_run(history, run(), KEEP, now=NOW)
    with pytest.raises(HistoryError, match="no run of target 'prod'; it has: staging"):
        last_runs(history, "prod", 1)


def test_half_a_run_is_none(place: Place, opened: Open) -> None:
    """A run that cannot be written to its end leaves nothing behind."""
    history = opened(place)
    write_run(history, run("r1"), KEEP, now=NOW)
    before = _everything(history)
    with pytest.raises(HistoryError):
        write_run(history, run("r2", check("a", message="m", attempts=2**70)), KEEP, now=NOW)
    assert _everything(history) == before
    assert write_run(history, run("r2"), KEEP, now=NOW)


def _everything(history: Database) -> list[Any]:
    tables = ("runs", "results", "messages", "check_days", "check_latencies", "target_hours", "target_latencies")
    return [sorted(history.rows(f"SELECT * FROM {table}"), key=repr) for table in tables]
