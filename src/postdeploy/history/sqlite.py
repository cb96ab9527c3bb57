"""A history in one file: write-ahead log, one writer at a time, readers beside it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any, Final

from postdeploy.errors import HistoryError
from postdeploy.history.database import Database, Row
from postdeploy.history.place import Place
from postdeploy.history.schema import MIGRATIONS, statements

__all__ = ["open_sqlite"]

_STEPS: Final = 100_000
"""Of the virtual machine, after which the clock is read again: some milliseconds."""


def open_sqlite(place: Place, patience: float, *, create: bool) -> Database:
    """Open the file. Raises HistoryError."""
    path = place.file
    if path is None:  # pragma: no cover - the caller has looked
        raise AssertionError
    if not create and not path.exists():
        raise HistoryError(
            f"{path}: there is no history yet; --history, 'history' in targets.yaml or --monitor lets runs begin one"
        )
    with _told(place):
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    database = _Sqlite(place, connection, patience)
    try:
        database.prepare()
    except BaseException:
        database.close()
        raise
    return database


class _Sqlite:
    def __init__(self, place: Place, connection: sqlite3.Connection, patience: float) -> None:
        self._place = place
        self._connection = connection
        self._patience = patience
        self._end = 0.0
        connection.set_progress_handler(self._is_late, _STEPS)

    def _is_late(self) -> int:
        return int(0 < self._end < time.monotonic())

    def prepare(self) -> None:
        """Settings that hold for this connection, and the newest schema."""
        with _told(self._place):
            self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * self._patience)}")
            self._connection.execute("PRAGMA synchronous = FULL")
            if self._version() < len(MIGRATIONS):
                self._connection.execute("PRAGMA journal_mode = WAL")
        if self._version() < len(MIGRATIONS):
            with self.writing():
                for statement in statements("sqlite", self._version()):
                    self.execute(statement)
                self.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        elif self._version() > len(MIGRATIONS):
            raise HistoryError(f"{self._place}: written by a newer version of postdeploy")

    def _version(self) -> int:
        return int(self.rows("PRAGMA user_version")[0][0])

    def rows(self, sql: str, /, **values: Any) -> list[Row]:
        """What a statement gives; it ends as an error where that takes longer than our patience."""
        self._end = time.monotonic() + self._patience
        try:
            with _told(self._place), closing(self._connection.execute(sql, values)) as cursor:
                return cursor.fetchall()
        finally:
            self._end = 0.0

    def execute(self, sql: str, /, **values: Any) -> int:
        """How many rows a statement changed."""
        with _told(self._place), closing(self._connection.execute(sql, values)) as cursor:
            return cursor.rowcount

    def execute_many(self, sql: str, rows: Iterable[Mapping[str, Any]], /) -> None:
        """One statement for many rows."""
        with _told(self._place):
            self._connection.executemany(sql, rows).close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that has the file to itself for writing from its beginning."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            raise

    def close(self) -> None:
        """End the connection."""
        with suppress(sqlite3.Error):
            self._connection.close()


@contextmanager
def _told(place: Place) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, OverflowError) as error:
        raise HistoryError(f"{place}: {getattr(error, 'strerror', None) or error}") from error
