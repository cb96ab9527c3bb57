"""What became of the rows, one file a test, so that workers and reruns can write them and one process reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.expected import Expected, Observed

__all__ = ["FOLDER_VARIABLE", "RowRecord", "read_records", "write_record"]

FOLDER_VARIABLE: Final = "FAULT_RECORDS"
"""The environment variable that says where records go."""


@dataclass(frozen=True, slots=True)
class RowRecord:
    """One test of a row.

    Args:
        row: its id.
        fault: what this test does.
        workers: the value of ``-n``, or None where no run is part of it.
        outcome: pytest's: passed, failed or skipped.
        pairs: what was expected and what was observed, in order.
    """

    row: str
    fault: str
    workers: int | None
    outcome: str
    pairs: tuple[tuple[Expected, Observed], ...] = field(default=())


def write_record(folder: Path, node_id: str, record: RowRecord) -> None:
    """Keep a record; that of a later attempt replaces it."""
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(f"{record.row} {node_id}".encode()).hexdigest()[:24]
    (folder / f"{name}.json").write_text(json.dumps(asdict(record)), encoding="utf-8")


def read_records(folder: Path) -> Iterator[RowRecord]:
    """All that were kept."""
    for path in sorted(folder.glob("*.json")):
        raw = json.loads(path.read_bytes())
        pairs = tuple((_expected(expected), Observed(**observed)) for expected, observed in raw.pop("pairs"))
        yield RowRecord(**raw, pairs=pairs)


def _expected(raw: dict[str, Any]) -> Expected:
    return Expected(**{name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()})
