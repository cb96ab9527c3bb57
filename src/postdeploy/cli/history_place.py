"""Which history a command is about: that of the option, the environment, targets.yaml, or the file beside it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from postdeploy.domain.retention import Retention
    from postdeploy.history.database import Database
    from postdeploy.history.place import Place

__all__ = ["add_place", "answer", "find_history"]

_USAGE: Final = 4
_OFF: Final = "off"


def add_place(parser: Any, default: str = "POSTDEPLOY_HISTORY, 'history' in targets.yaml, history.sqlite3") -> None:
    """The options of every command that reads a history."""
    parser.add_argument("--history", metavar="PLACE", help=f"a file or a PostgreSQL URL (default: {default})")
    parser.add_argument("--targets", default="targets.yaml", metavar="FILE", help="default: %(default)s")


def answer(arguments: argparse.Namespace, ask: Callable[[Database, Retention], int], *, create: bool = False) -> int:
    """Open the history, ask it, and close it; what is wrong is told. Returns the exit status."""
    from postdeploy.errors import ConfigurationError, HistoryError, JournalError
    from postdeploy.history.database import open_database

    try:
        place, retention = _find(arguments)
        database = open_database(place, patience=10.0, create=create)
        try:
            return ask(database, retention)
        finally:
            database.close()
    except (ConfigurationError, HistoryError, JournalError) as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return _USAGE


def find_history(arguments: argparse.Namespace) -> tuple[Place, Retention] | None:
    """Where the option, the environment or targets.yaml says that runs are remembered; None if none does.

    A scheduled run (``monitor``) is remembered beside targets.yaml where nothing else is said.

    Raises ConfigurationError or HistoryError for what is no place.
    """
    from pathlib import Path

    from postdeploy.config import read_outline
    from postdeploy.domain.retention import HISTORY_VARIABLE, Retention
    from postdeploy.history.place import DEFAULT_FILE, parse_place

    file = Path(arguments.targets or "targets.yaml")
    given = arguments.history or os.environ.get(HISTORY_VARIABLE)
    entry = read_outline(file, os.environ, remembers=not given).history if file.exists() else None
    retention = entry.retention if entry else Retention()
    if given:
        return None if given == _OFF else (parse_place(given, Path.cwd()), retention)
    if entry:
        return parse_place(entry.place, file.parent), retention
    return (parse_place(DEFAULT_FILE, file.parent), retention) if getattr(arguments, "monitor", False) else None


def _find(arguments: argparse.Namespace) -> tuple[Place, Retention]:
    """The same, or the file that is there if nothing is said."""
    from pathlib import Path

    from postdeploy.domain.retention import Retention
    from postdeploy.history.place import DEFAULT_FILE, parse_place

    return find_history(arguments) or (parse_place(DEFAULT_FILE, Path(arguments.targets).parent), Retention())
