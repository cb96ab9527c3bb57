"""Runs that the history does not have yet: from journals that a run left behind, and from files that wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import EvidenceError, fold
from postdeploy.domain.retention import Retention
from postdeploy.errors import HistoryError, JournalError
from postdeploy.history.database import Database
from postdeploy.history.facts import RunMemory
from postdeploy.history.keeping import WAITING, read_waiting
from postdeploy.history.summary import summarise
from postdeploy.history.writing import write_run
from postdeploy.journal import EVIDENCE_FILE, read_journal
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["Imported", "find_runs", "import_runs", "read_run"]


@dataclass(slots=True)
class Imported:
    """Ids of runs that are new, how many were there already (or too old), and files that could not be read."""

    new: list[str] = field(default_factory=list)
    known: int = 0
    problems: list[str] = field(default_factory=list)


def find_runs(places: Iterable[Path]) -> Iterator[Path]:
    """Files by name; of a folder, every journal and every waiting run below it."""
    for place in places:
        if place.is_dir():
            yield from sorted(place.rglob(EVIDENCE_FILE))
            yield from sorted(place.rglob(f"{WAITING}/*.json"))
        else:
            yield place


def read_run(path: Path) -> RunMemory:
    """What a journal, or a file that waits, says of its run. Raises HistoryError."""
    if path.suffix == ".json":
        return read_waiting(path)
    try:
        evidence = fold(read_journal(path).records)
    except (JournalError, EvidenceError) as error:
        raise HistoryError(str(error)) from error
    if not evidence.finished:
        raise HistoryError(f"{path}: the run did not finish, so it has no verdict yet")
    return summarise(evidence, decide(evidence))


def import_runs(database: Database, places: Iterable[Path], retention: Retention, *, now: float) -> Imported:
    """Write every run that can be read; what was written and waited is removed. Raises HistoryError."""
    imported = Imported()
    for path in find_runs(places):
        try:
            run = read_run(path)
        except HistoryError as error:
            imported.problems.append(str(error))
            continue
        if write_run(database, run, retention, now=now):
            imported.new.append(run.id)
        else:
            imported.known += 1
        if path.parent.name == WAITING:
            path.unlink(missing_ok=True)
    return imported
