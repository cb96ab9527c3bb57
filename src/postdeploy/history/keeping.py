"""Keeping a run after its verdict was sealed: bounded in time, never in the way, and without losing it.

What is to be written waits in a file beside the reports until the database has it, and goes in with a later run or with
``postdeploy history import``. What has waited longest is given up where too much waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from postdeploy.documents import read_document, write_document
from postdeploy.domain.retention import Retention
from postdeploy.errors import DocumentError, HistoryError, JournalError
from postdeploy.history.database import Database, open_database
from postdeploy.history.facts import RunMemory
from postdeploy.history.place import Place
from postdeploy.history.writing import write_run
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["PATIENCE", "WAITING", "Kept", "give_up", "keep", "read_waiting", "waiting"]

WAITING: Final = "unrecorded"
"""The folder below the reports in which runs wait."""

PATIENCE: Final = 5.0
"""Seconds that a run may spend on its history when everything else is done."""

_MOST: Final = 5000
"""Runs that wait: those of three days and a half, one a minute."""

_MOST_BYTES: Final = 256 * 1024 * 1024

_SCHEMA: Final = "postdeploy/run-memory/1"


@dataclass(slots=True)
class Kept:
    """Which runs were written, how many of these were there already, and what went wrong if anything did."""

    runs: list[str] = field(default_factory=list)
    known: int = 0
    problem: str | None = None


def keep(
    place: Place,
    run: RunMemory,
    reports: Path,
    retention: Retention,
    *,
    patience: float = PATIENCE,
    now: Callable[[], float] = time.time,
) -> Kept:
    """Write a run, and those that wait for it; whatever happens is told in what is returned, and nothing is raised."""
    kept = Kept()
    try:
        write_document(_path(reports, run.id), {"schema": _SCHEMA, "run": run.to_json()})
    except JournalError as error:
        kept.problem = str(error)  # the database may be elsewhere, and well
    done = threading.Event()
    thread = threading.Thread(
        target=_write_all, args=(place, run, reports, retention, patience, now, kept, done), daemon=True
    )
    thread.start()
    if not done.wait(patience):
        kept = Kept([*kept.runs], problem=f"{place}: it did not answer within {patience:g} s")
    if kept.problem is not None:
        lost = give_up(reports, _MOST, _MOST_BYTES)
        kept.problem += f"; {lost} that had waited longest {'was' if lost == 1 else 'were'} given up" if lost else ""
    return kept


def give_up(reports: Path, most: int, size: int) -> int:
    """Remove the runs that have waited longest, until so many wait, with so many bytes; returns how many were removed.

    The newest one stays, however large it is.
    """
    found = []
    for path in waiting(reports):
        with suppress(OSError):
            about = path.stat()
            found.append((about.st_mtime_ns, about.st_size, path))
    removed = 0
    for place, (_, own, path) in enumerate(sorted(found, reverse=True)):
        size -= own
        if place and (place >= most or size < 0):
            with suppress(OSError):
                path.unlink()
                removed += 1
    return removed


def waiting(reports: Path) -> list[Path]:
    """The runs that wait below a reports folder, oldest first."""
    folder = reports / WAITING
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def read_waiting(path: Path) -> RunMemory:
    """A run that waits. Raises HistoryError for a file that is none."""
    try:
        document = read_document(path)
        if document.get("schema") != _SCHEMA:
            raise HistoryError(f"{path}: not of schema {_SCHEMA!r}")
        return RunMemory.from_json(document["run"])
    except (DocumentError, KeyError, TypeError, ValueError) as error:
        raise HistoryError(f"{path}: not a run that waits for its history: {error}") from error


def _path(reports: Path, run_id: str) -> Path:
    return reports / WAITING / f"{run_id}.json"


def _write_all(
    place: Place,
    run: RunMemory,
    reports: Path,
    retention: Retention,
    patience: float,
    now: Callable[[], float],
    kept: Kept,
    done: threading.Event,
) -> None:
    try:
        database = open_database(place, patience=patience / 2, create=True)  # leaves time to say what is wrong
        try:
            for memory, file in _all(run, reports):
                _write(database, memory, file, retention, now(), kept)
        finally:
            database.close()
        kept.problem = None
    except Exception as error:  # noqa: BLE001  # a history can never change a verdict
        text = str(error) if isinstance(error, HistoryError) else f"{place}: {type(error).__name__}: {error}"
        kept.problem = text
    finally:
        done.set()


def _all(run: RunMemory, reports: Path) -> Iterator[tuple[RunMemory, Path]]:
    """This run first, for the others have waited already."""
    own = _path(reports, run.id)
    yield run, own
    for file in waiting(reports):
        if file != own:
            try:
                yield read_waiting(file), file
            except HistoryError:
                continue  # it stays where it is; an import says what is wrong with it


def _write(database: Database, run: RunMemory, file: Path, retention: Retention, now: float, kept: Kept) -> None:
    if write_run(database, run, retention, now=now):
        kept.runs.append(run.id)
    else:
        kept.known += 1
    file.unlink(missing_ok=True)
