"""One protocol over both databases: statements with ``:name`` parameters, rows as tuples, one transaction at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from postdeploy.history.place import Place

__all__ = ["Database", "Row", "open_database"]

Row = tuple[Any, ...]


class Database(Protocol):
    """A connection whose schema is the newest. Every method raises HistoryError where the database refuses."""

    def rows(self, sql: str, /, **values: Any) -> list[Row]:
        """What a statement gives."""

    def execute(self, sql: str, /, **values: Any) -> int:
        """How many rows a statement changed."""

    def execute_many(self, sql: str, rows: Iterable[Mapping[str, Any]], /) -> None:
        """One statement for many rows."""

    def writing(self) -> AbstractContextManager[None]:
        """A transaction: everything in it or nothing, and no other writer meanwhile."""

    def close(self) -> None:
        """End the connection."""


def open_database(place: Place, *, patience: float = 5.0, create: bool = False) -> Database:
    """Open a history, bringing its schema up to date.

    Args:
        place: where it is.
        patience: seconds to wait for a connection, for another writer, and for any one statement.
        create: whether a file that is not there is begun.

    Raises:
        HistoryError: it cannot be opened, or is of a newer version than this.
    """
    if place.url is not None:
        from postdeploy.history.postgresql import open_postgresql

        return open_postgresql(place, patience)
    from postdeploy.history.sqlite import open_sqlite

    return open_sqlite(place, patience, create=create)
