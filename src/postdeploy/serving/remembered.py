"""What a server asks a history: seldom, within bounds, and never twice at the same time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final, TypeVar

from postdeploy.history.database import Database, open_database
from postdeploy.history.page import render, tell_json
from postdeploy.history.place import Place
from postdeploy.history.reading import target_names, verdicts_since
from postdeploy.history.slo import Objective, objective_of
from postdeploy.history.status import gather_status
from postdeploy.history.sums import hour_sums
from postdeploy.serving.refreshed import Refreshed

__all__ = ["EVERY", "Pages", "Remembered"]

EVERY: Final = 15.0
"""Seconds for which an answer is given again."""

_PATIENCE: Final = 3.0
"""Seconds for a connection, and for each statement."""

_DAYS: Final = 30
_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR

T = TypeVar("T")
Pages = tuple[bytes, bytes]
"""The page, and the same as JSON."""


class Remembered:
    """The history of a target.

    Args:
        place: where it is.
        target: its name.
        wanted: the share of runs that is to be good.
        wall: seconds since the epoch.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        place: Place,
        target: str,
        wanted: float = 0.999,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = place
        self._target = target
        self._wanted = wanted
        self._wall = wall
        self.pages = Refreshed(lambda: self._ask(self._pages), EVERY, clock)
        self.objective = Refreshed(lambda: self._ask(self._objective), EVERY, clock)

    def _ask(self, question: Callable[[Database], T]) -> T:
        """Raises HistoryError."""
        database = open_database(self._place, patience=_PATIENCE)
        try:
            return question(database)
        finally:
            database.close()

    def _pages(self, database: Database) -> Pages:
        now = self._wall()
        status = gather_status(database, self._target, now) if self._is_known(database) else None
        found = [status] if status else []
        return render(found, now), json.dumps(tell_json(found, now), allow_nan=False).encode() + b"\n"

    def _objective(self, database: Database) -> Objective | None:
        if not self._is_known(database):
            return None
        now = int(1000 * self._wall())
        hours = hour_sums(database, self._target, now // _HOUR - 24 * _DAYS)
        recent = verdicts_since(database, self._target, now - 3 * _DAY)
        return objective_of(self._target, self._wanted, _DAYS, hours, recent, now)

    def _is_known(self, database: Database) -> bool:
        return self._target in target_names(database)
