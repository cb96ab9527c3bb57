"""A history in PostgreSQL, in a schema of its own named ``postdeploy``; extra ``postgres``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from typing import Any, Final

from postdeploy.errors import HistoryError
from postdeploy.history.database import Database, Row
from postdeploy.history.place import Place
from postdeploy.history.schema import MIGRATIONS, statements

__all__ = ["open_postgresql"]

_LOCK: Final = 7_305_671_204
"""The number of the lock that one writer has at a time, so that no two sums are changed in different orders."""

_NAME: Final = re.compile(r"(?<![:\w]):([a-z_]+)")


def open_postgresql(place: Place, patience: float) -> Database:
    """Connect. Raises HistoryError."""
    try:
        import psycopg
    except ImportError as error:
        message = f"{place}: PostgreSQL needs an extra: pip install 'pytest-postdeploy[postgres]'"
        raise HistoryError(message) from error
    milliseconds = max(1, int(1000 * patience))
    settings = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} -c search_path=postdeploy"
    with _told(place, psycopg.Error):
        connection = psycopg.connect(
            place.url or "",
            autocommit=True,
            connect_timeout=max(2, ceil(patience)),
            tcp_user_timeout=milliseconds,
            options=settings,
            application_name="postdeploy",
        )
    database = _Postgresql(place, connection, psycopg.Error)
    try:
        database.prepare()
    except BaseException:
        database.close()
        raise
    return database


class _Postgresql:
    def __init__(self, place: Place, connection: Any, error: type[Exception]) -> None:
        self._place = place
        self._connection = connection
        self._error = error

    def prepare(self) -> None:
        """The newest schema."""
        if self._version() < len(MIGRATIONS):
            with self.writing():
                self.execute("CREATE SCHEMA IF NOT EXISTS postdeploy")
                self.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
                for statement in statements("postgresql", self._version()):
                    self.execute(statement)
                self.execute("DELETE FROM schema_version")
                self.execute("INSERT INTO schema_version VALUES (:version)", version=len(MIGRATIONS))
        elif self._version() > len(MIGRATIONS):
            raise HistoryError(f"{self._place}: written by a newer version of postdeploy")

    def _version(self) -> int:
        if self.rows("SELECT to_regclass('postdeploy.schema_version') IS NULL")[0][0]:
            return 0
        return int((self.rows("SELECT version FROM schema_version") or [(0,)])[0][0])

    def rows(self, sql: str, /, **values: Any) -> list[Row]:
        """What a statement gives."""
        with _told(self._place, self._error):
            cursor = self._connection.execute(_placeholders(sql), values)
            return list(cursor.fetchall()) if cursor.description else []

    def execute(self, sql: str, /, **values: Any) -> int:
        """How many rows a statement changed."""
        with _told(self._place, self._error):
            return int(self._connection.execute(_placeholders(sql), values).rowcount)

    def execute_many(self, sql: str, rows: Iterable[Mapping[str, Any]], /) -> None:
        """One statement for many rows."""
        with _told(self._place, self._error), self._connection.cursor() as cursor:
            cursor.executemany(_placeholders(sql), rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that no other writer of ours is beside."""
        with _told(self._place, self._error), self._connection.transaction():
            self.rows("SELECT pg_advisory_xact_lock(:lock)", lock=_LOCK)
            yield

    def close(self) -> None:
        """End the connection."""
        with suppress(self._error):
            self._connection.close()


def _placeholders(sql: str) -> str:
    return _NAME.sub(r"%(\1)s", sql.replace("%", "%%"))


@contextmanager
def _told(place: Place, kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise HistoryError(f"{place}: {text}") from error
