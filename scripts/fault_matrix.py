"""Judges the records of the fault suite and writes docs/reference/fault-matrix.md; exits 1 if any row is red.

``python -m scripts.fault_matrix RECORDS`` prints the table and writes the page. With ``--check`` it writes nothing and
fails only on rows that were run and are wrong; what only root can do may be skipped then by anybody else.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.records import RowRecord, read_records
from tests.faults.rows import ROWS, Row

__all__ = ["Line", "lines_of", "main", "red", "render", "wrong"]

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "fault-matrix.md"

_HEAD: Final = """\
# Fault matrix

Written by `make faults`. Each line is a fault that was really injected into a run against a server on loopback, with
the verdict, reason, action and exit status that must follow and those that did, and the status of the gate that was
asked afterwards. A fault that was not injected, or not in every way it has to be, is red: nothing is proven of it.

| id | fault | `-n` | cases | expected | observed | |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table; ``problem`` is why it is red."""

    row: str
    fault: str
    workers: str
    cases: int
    expected: str
    observed: str
    problem: str | None = None


def lines_of(records: Iterable[RowRecord], rows: Sequence[Row] = ROWS) -> Iterator[Line]:
    """The table in the order of the rows; tests of one fault that ended alike share a line."""
    by_row: dict[str, list[RowRecord]] = {}
    for record in records:
        by_row.setdefault(record.row, []).append(record)
    for row in rows:
        found = by_row.get(row.id, [])
        yield from _tested(found)
        if absent := _absent(row, found):
            yield Line(row.id, row.fault, "", 0, "", "", absent)


def _absent(row: Row, found: Sequence[RowRecord]) -> str | None:
    if not found:
        return "not run"
    without = [f"-n {count}" for count in row.workers if count not in {record.workers for record in found}]
    return f"not run with {' or '.join(without)}" if without else None


def _tested(records: Sequence[RowRecord]) -> Iterator[Line]:
    alike: dict[tuple[str, str, str, str | None], list[RowRecord]] = {}
    for record in records:
        alike.setdefault(_ending(record), []).append(record)
    for (fault, expected, observed, problem), group in sorted(alike.items(), key=str):
        counts = sorted({record.workers for record in group if record.workers is not None})
        yield Line(group[0].row, fault, ", ".join(map(str, counts)), len(group), expected, observed, problem)


def _ending(record: RowRecord) -> tuple[str, str, str, str | None]:
    expected = dict.fromkeys(str(wanted) for wanted, _ in record.pairs)
    observed = dict.fromkeys(wanted.show(seen) for wanted, seen in record.pairs)
    problem = None if record.outcome == "passed" else record.outcome
    return record.fault, "; ".join(expected), "; ".join(observed), problem


def wrong(lines: Iterable[Line], *, root: bool) -> list[Line]:
    """The lines of rows that were run and are not right; without root some can only be skipped."""
    excused = {"skipped"} if not root else set()
    return [line for line in lines if line.cases and line.problem and line.problem not in excused]


def red(lines: Iterable[Line]) -> list[Line]:
    """The lines that are not right."""
    return [line for line in lines if line.problem]


def render(lines: Iterable[Line]) -> str:
    """The page."""
    return _HEAD + "".join(
        f"| {line.row} | {line.fault} | {line.workers} | {line.cases} | {line.expected} | {line.observed} "
        f"| {line.problem.upper() if line.problem else 'right'} |\n"
        for line in lines
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, write or compare the page; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path)
    parser.add_argument("--check", action="store_true", help="fail on rows that were run and are wrong, write no page")
    given = parser.parse_args(arguments)
    lines = list(lines_of(read_records(given.records)))
    page = render(lines)
    print(page.partition("|---")[2].partition("\n")[2])
    for line in red(lines):
        print(f"RED {line.row}: {line.fault}: {line.problem}", file=sys.stderr)
    print(f"{len(ROWS)} rows, {sum(line.cases for line in lines)} cases, {len(red(lines))} red")
    if given.check:
        return int(bool(wrong(lines, root=os.geteuid() == 0)))
    PAGE.write_text(page, encoding="utf-8")
    return int(bool(red(lines)))


if __name__ == "__main__":
    sys.exit(main())
