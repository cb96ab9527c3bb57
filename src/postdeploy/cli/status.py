"""``postdeploy status``: a page about targets, with uptime, latency, incidents and releases, as files to publish."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from postdeploy.cli.history_place import add_place, answer

if TYPE_CHECKING:
    from postdeploy.domain.retention import Retention
    from postdeploy.history.database import Database

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("status", help="write a status page: uptime, latency, incidents, releases")
    parser.add_argument("targets_shown", nargs="*", metavar="TARGET", help="which targets (default: all)")
    parser.add_argument("--out", default="status", metavar="DIR", help="default: %(default)s")
    add_place(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    def ask(database: Database, _retention: Retention) -> int:
        from pathlib import Path

        from postdeploy.documents import write_atomically, write_document
        from postdeploy.history.page import render, tell_json
        from postdeploy.history.reading import target_names
        from postdeploy.history.status import gather_status

        now, folder = time.time(), Path(arguments.out)
        names = arguments.targets_shown or target_names(database)
        found = [status for name in names if (status := gather_status(database, name, now)) is not None]
        write_document(folder / "status.json", tell_json(found, now))
        write_atomically(folder / "index.html", render(found, now))
        print(folder / "index.html")
        return 0

    return answer(arguments, ask)
