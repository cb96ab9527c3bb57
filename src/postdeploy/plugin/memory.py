"""A run and the history: what it leaves there when its verdict is sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from postdeploy.domain.evidence import Evidence
from postdeploy.domain.retention import Retention
from postdeploy.plugin.settings import Settings

if TYPE_CHECKING:
    from postdeploy.config.history import HistoryEntry
    from postdeploy.domain.verdict import Verdict
    from postdeploy.history.keeping import Kept
    from postdeploy.history.place import Place

__all__ = ["Memory", "find_memory"]

_OFF: Final = "off"


class Memory:
    """Where one run is remembered."""

    def __init__(self, place: Place, retention: Retention, reports: Path) -> None:
        self.place = place
        self._retention = retention
        self._reports = reports

    def keep(self, evidence: Evidence, verdict: Verdict) -> Kept:
        """Write the run, within a few seconds or not at all; it can neither raise nor change anything."""
        from postdeploy.history.keeping import Kept, keep
        from postdeploy.history.summary import summarise

        try:
            return keep(self.place, summarise(evidence, verdict), self._reports, self._retention)
        except Exception as error:  # noqa: BLE001  # a history can never change a verdict
            return Kept(problem=f"{self.place}: {type(error).__name__}: {error}")


def find_memory(settings: Settings, entry: HistoryEntry | None) -> Memory | None:
    """Where the option, the environment or targets.yaml (in this order) have runs remembered; None if none does.

    Raises pytest.UsageError for what is no place of a history.
    """
    from postdeploy.errors import HistoryError
    from postdeploy.history.place import parse_place

    given, folder = settings.history, settings.invoked_from
    if given is None and entry is not None:
        given, folder = entry.place, settings.targets_file.parent
    if given is None or given == _OFF:
        return None
    try:
        place = parse_place(given, folder)
    except HistoryError as error:
        raise pytest.UsageError(f"\n{error}") from error
    return Memory(place, entry.retention if entry else Retention(), settings.reports)
