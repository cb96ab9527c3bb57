"""The table of the fault suite: what is right, and what is red."""

from __future__ import annotations

from pathlib import Path

from scripts.fault_matrix import lines_of, red, render, wrong
from tests.faults.expected import Expected, Observed, hold
from tests.faults.records import RowRecord, read_records, write_record
from tests.faults.rows import ROWS, Row

_ROWS = (Row("F01", "empty"), Row("I01", "tampered", ()))
_HELD = Observed("inconclusive", "nothing_selected", "hold", 5, 10)
_RIGHT = (hold("nothing_selected", 5), _HELD)


def _record(row: str, workers: int | None, outcome: str = "passed") -> RowRecord:
    return RowRecord(row, "no tests", workers, outcome, (_RIGHT,))


def test_rows_that_were_run_in_every_way_are_right() -> None:
    """Alike endings share a line that says what was expected and observed."""
    lines = list(lines_of([_record("F01", 0), _record("F01", 2), _record("I01", None)], _ROWS))
    assert [(line.row, line.workers, line.cases) for line in lines] == [("F01", "0, 2", 2), ("I01", "", 1)]
    assert red(lines) == []
    assert "| inconclusive, `nothing_selected`, hold, status 5, gate 10 |" in render(lines)


def test_a_row_without_a_test_is_red() -> None:
    """What nobody tried is not proven."""
    lines = red(lines_of([_record("I01", None)], _ROWS))
    assert [(line.row, line.problem) for line in lines] == [("F01", "not run")]


def test_a_row_that_was_not_run_with_workers_is_red() -> None:
    """Both ways count."""
    lines = red(lines_of([_record("F01", 0), _record("I01", None)], _ROWS))
    assert [(line.row, line.problem) for line in lines] == [("F01", "not run with -n 2")]


def test_skipped_and_failed_rows_are_red() -> None:
    """A skipped row is not proven."""
    lines = red(lines_of([_record("F01", 0), _record("F01", 2, "failed"), _record("I01", None, "skipped")], _ROWS))
    assert [(line.row, line.problem) for line in lines] == [("F01", "failed"), ("I01", "skipped")]
    assert "SKIPPED" in render(lines)
    assert [(line.row, line.problem) for line in wrong(lines, root=True)] == [("F01", "failed"), ("I01", "skipped")]
    assert [(line.row, line.problem) for line in wrong(lines, root=False)] == [("F01", "failed")]


def test_records_survive_the_disk(tmp_path: Path) -> None:
    """What a worker wrote is what the table is made of; a later attempt replaces an earlier one."""
    either = Expected("inconclusive", ("interrupted", "incomplete"), "hold", (2, 10))
    record = RowRecord("F01", "no tests", 2, "passed", ((either, Observed("inconclusive", "incomplete", "hold", 2)),))
    write_record(tmp_path, "a::b", _record("F01", 2, "failed"))
    write_record(tmp_path, "a::b", record)
    assert list(read_records(tmp_path)) == [record]


def test_where_more_than_one_ending_is_right_the_page_does_not_change_from_run_to_run() -> None:
    """The page is compared with what was observed."""
    either = Expected("inconclusive", ("interrupted", "incomplete"), "hold", (2, 10))
    first = either.show(Observed("inconclusive", "interrupted", "hold", 2))
    assert first == either.show(Observed("inconclusive", "incomplete", "hold", 10)) == str(either)
    assert either.wrong(Observed("pass", "incomplete", "hold", 0)) == ["verdict", "status"]


def test_every_row_has_its_own_id() -> None:
    """F01 to F44, N01 to N09, P01 to P06, K01, Y01, R01 to R04, I01, I02."""
    ids = [row.id for row in ROWS]
    assert len(set(ids)) == len(ids) == 67
