"""A run and the history: what it is told of earlier runs while it runs, and what it leaves when it is sealed.

Reading and writing have threads of their own and are waited for within bounds, so that a database can be slow or away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.domain.evidence import Evidence
from postdeploy.domain.retention import Retention
from postdeploy.domain.secret import Secret, weakness
from postdeploy.plugin.settings import Settings

if TYPE_CHECKING:
    from postdeploy.config.history import HistoryEntry
    from postdeploy.domain.verdict import Verdict
    from postdeploy.history.keeping import Kept
    from postdeploy.history.place import Place

__all__ = ["Memory", "find_memory"]

_OFF: Final = "off"

_READING: Final = 3.0
"""Seconds that the end of a run may wait for what earlier runs say."""


class Memory:
    """Where one run is remembered; a ``part`` of a run only asks what was there before, and leaves nothing."""

    def __init__(self, place: Place, retention: Retention, reports: Path, given: str, *, part: bool = False) -> None:
        self.place = place
        self._part = part
        self._given = given
        self.problem: str | None = None
        self._reader: threading.Thread | None = None
        self._deploy: tuple[str, str] | None = None
        self._retention = retention
        self._reports = reports

    def secrets(self) -> Iterator[Secret]:
        """What must be masked in what the run writes: a URL with a password, such as it stands among its arguments."""
        password = self.place.password
        if password:
            yield Secret("history", self._given)
            if weakness(password) is None:
                yield Secret("history password", password)

    def recall(
        self, target: str, expected: str | None, learn: Callable[[Mapping[str, Any]], None], *, baseline: bool
    ) -> None:
        """Begin to read what earlier runs say, as records for the journal; a baseline only where it is wanted."""
        if self.place.file is not None and not self.place.file.exists():
            return
        work = (target, expected, learn, baseline)
        self._reader = threading.Thread(target=self._read, args=work, daemon=True, name="postdeploy-history")
        self._reader.start()

    def begin_deploy(self, target: str, run_id: str) -> None:
        """Say, with what is read, that a run after a deploy has begun: monitors of the target are quiet meanwhile."""
        if not self._part:
            self._deploy = (target, run_id)

    def wait(self) -> None:
        """Until everything was read, or for long enough."""
        if self._reader is not None:
            self._reader.join(_READING)
            if self._reader.is_alive():
                self.problem = f"{self.place}: it did not answer within {_READING:g} s"

    def _read(
        self, target: str, expected: str | None, learn: Callable[[Mapping[str, Any]], None], baseline: bool
    ) -> None:
        from postdeploy.errors import JournalError

        try:
            for record in self._records(target, expected, baseline):
                learn(record)
        except JournalError:
            pass  # whoever writes next tells it
        except Exception as error:  # noqa: BLE001  # a history that cannot be read is as good as none
            self.problem = str(error)

    def _records(self, target: str, expected: str | None, baseline: bool) -> Iterator[dict[str, Any]]:
        from postdeploy.history.alerts import begin_deploy
        from postdeploy.history.database import open_database
        from postdeploy.history.recall import recall_baseline, recall_past

        database, source = open_database(self.place, patience=_READING), f"history {self.place}"
        try:
            before = recall_baseline(database, target, expected, source) if baseline else None
            if before is not None:
                outcomes = {check: outcome.value for check, outcome in before.outcomes.items()}
                yield {"record": "baseline", "release": before.release, "outcomes": outcomes, "source": before.source}
            past = None if self._part else recall_past(database, target, source)
            if past is not None:
                yield {"record": "past", **past.to_json()}
            if self._deploy is not None:
                begin_deploy(database, *self._deploy, started=time.time())
        finally:
            database.close()

    def keep(self, evidence: Evidence, verdict: Verdict) -> Kept | None:
        """Write the run, within a few seconds or not at all; it can neither raise nor change anything."""
        if self._part:
            return None
        from postdeploy.history.keeping import Kept, keep
        from postdeploy.history.summary import summarise

        try:
            return keep(self.place, summarise(evidence, verdict), self._reports, self._retention)
        except Exception as error:  # noqa: BLE001  # a history can never change a verdict
            return Kept(problem=f"{self.place}: {type(error).__name__}: {error}")


def find_memory(settings: Settings, entry: HistoryEntry | None) -> Memory | None:
    """Where the option, the environment or targets.yaml (in this order) have runs remembered; None if none does.

    A scheduled run is remembered beside targets.yaml where nothing else is said.

    Raises pytest.UsageError for what is no place of a history.
    """
    from postdeploy.errors import HistoryError
    from postdeploy.history.place import DEFAULT_FILE, parse_place

    given, folder = settings.history, settings.invoked_from
    if given is None and entry is not None:
        given, folder = entry.place, settings.targets_file.parent
    if given is None and settings.monitor:
        given, folder = DEFAULT_FILE, settings.targets_file.parent
    if given is None or given == _OFF:
        return None
    try:
        place = parse_place(given, folder)
    except HistoryError as error:
        raise pytest.UsageError(f"\n{error}") from error
    retention, part = entry.retention if entry else Retention(), settings.shard is not None
    return Memory(place, retention, settings.reports, given, part=part)
