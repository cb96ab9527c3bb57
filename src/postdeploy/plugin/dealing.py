"""How long checks took before, for ``--shard-by``: of a verdict, or of a run in the history and those before it."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import pytest

from postdeploy.domain.shard import Dealing
from postdeploy.errors import DocumentError, HistoryError
from postdeploy.plugin.settings import Settings

if TYPE_CHECKING:
    from postdeploy.history.database import Database
    from postdeploy.history.place import Place

__all__ = ["dealing_by_file", "dealing_by_history"]

_RUNS: Final = 10
"""Of which the median counts."""

_LOOKED_AT: Final = 50
_PATIENCE: Final = 3.0


def dealing_by_file(path: Path) -> Dealing:
    """How long each check took, of a sealed verdict. Raises pytest.UsageError."""
    from postdeploy.documents import read_document
    from postdeploy.domain.reading import array, mapping, number, text

    try:
        document = read_document(path)
        checks = [mapping(check) for check in array(document["checks"])]
        seconds = {
            text(check["id"]): sum(number(mapping(attempt)["duration"]) for attempt in array(check["attempts"]))
            for check in checks
        }
        return Dealing(text(mapping(document["run"])["id"]), seconds)
    except (DocumentError, KeyError, TypeError, ValueError) as error:
        raise pytest.UsageError(f"--shard-by {path}: not a sealed verdict: {error}") from error


def dealing_by_history(place: Place | None, settings: Settings) -> Dealing:
    """How long each check took in complete runs, up to the one that is named or the newest.

    A history that is away is no reason not to verify: the parts are of one size then, and ``merge`` sees whether all
    machines have dealt out alike. Raises pytest.UsageError where there is no history, or no such run in it.
    """
    if place is None:
        raise pytest.UsageError("--shard-by=history: name a history with --history, or in targets.yaml")
    from postdeploy.history.database import open_database

    try:
        database = open_database(place, patience=_PATIENCE)
        try:
            return _recalled(database, settings)
        finally:
            database.close()
    except HistoryError as error:
        sys.stderr.write(f"postdeploy: --shard-by: the parts are of one size, as the history cannot be read: {error}\n")
        return Dealing(None, {})


def _recalled(database: Database, settings: Settings) -> Dealing:
    """Raises HistoryError."""
    from postdeploy.history.reading import durations, last_runs, target_names

    if settings.target not in target_names(database):
        return _nothing(settings)
    before = _moment(database, settings)
    runs = [run for run in last_runs(database, settings.target, _LOOKED_AT, before=before) if run.complete][:_RUNS]
    if not runs or (settings.shard_by_run and runs[0].id != settings.shard_by_run):
        return _nothing(settings)
    times = durations(database, [run.number for run in runs])
    return Dealing(runs[0].id, {check: median(seconds) for check, seconds in times.items()})


def _moment(database: Database, settings: Settings) -> int | None:
    """Before which runs count (ms): just after the one that was named."""
    from postdeploy.history.reading import find_run

    if not settings.shard_by_run:
        return None
    try:
        return find_run(database, settings.shard_by_run).started + 1
    except HistoryError:
        return 0


def _nothing(settings: Settings) -> Dealing:
    """Where no run says anything. Raises pytest.UsageError if one was named."""
    if settings.shard_by_run:
        text = f"the history has no complete run {settings.shard_by_run!r} of target {settings.target!r}"
        raise pytest.UsageError(f"--shard-by: {text}")
    return Dealing(None, {})
