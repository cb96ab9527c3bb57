"""``postdeploy history``: runs that are remembered; bringing in what was not; forgetting what is too old."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from postdeploy.cli.history_place import add_place, answer

if TYPE_CHECKING:
    from postdeploy.domain.retention import Retention
    from postdeploy.history.database import Database

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("history", help="runs that are remembered: list, show, import, prune")
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "import", "prune"),
        default="list",
        help="list the newest runs (default), show a RUN with its checks, import PATHs (evidence.jsonl, or folders "
        "with any below), or prune what is older than is to be kept",
    )
    parser.add_argument("words", nargs="*", metavar="TARGET | RUN | PATH", help="of which target, which run, or what")
    parser.add_argument("--last", type=int, default=20, metavar="N", help="how many to list (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="list as JSON")
    add_place(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    least, most = {"list": (0, 1), "show": (1, 1), "import": (1, None), "prune": (0, 0)}[arguments.action]
    given = len(arguments.words)
    if given < least or (most is not None and given > most):
        wanted = {"list": "at most one TARGET", "show": "one RUN", "import": "a PATH", "prune": "nothing more"}
        print(f"postdeploy: history {arguments.action} takes {wanted[arguments.action]}", file=sys.stderr)
        return 4
    actions = {"list": _list, "show": _show, "import": _import, "prune": _prune}
    return actions[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    def ask(database: Database, _retention: Retention) -> int:
        from postdeploy.history.reading import last_runs, target_names
        from postdeploy.history.runs import tell_runs, tell_runs_json

        names = arguments.words or target_names(database)
        runs = [run for name in names for run in last_runs(database, name, max(1, arguments.last))]
        runs = sorted(runs, key=lambda run: run.started, reverse=True)[: max(1, arguments.last)]
        if arguments.json:
            import json

            print(json.dumps(tell_runs_json(runs), indent=1))
        else:
            print(*tell_runs(runs), sep="\n")
        return 0

    return answer(arguments, ask)


def _show(arguments: argparse.Namespace) -> int:
    def ask(database: Database, _retention: Retention) -> int:
        from postdeploy.history.reading import find_run, messages_by_id, outcomes
        from postdeploy.history.runs import tell_run

        run = find_run(database, arguments.words[0])
        ended = outcomes(database, [run.number])[run.number]
        print(*tell_run(run, ended, messages_by_id(database, run.number)), sep="\n")
        return 0

    return answer(arguments, ask)


def _import(arguments: argparse.Namespace) -> int:
    def ask(database: Database, retention: Retention) -> int:
        from pathlib import Path

        from postdeploy.history.importing import import_runs

        imported = import_runs(database, map(Path, arguments.words), retention, now=time.time())
        print(f"{len(imported.new)} new, {imported.known} known already or too old")
        for problem in imported.problems:
            print(f"postdeploy: {problem}", file=sys.stderr)
        return 1 if imported.problems else 0

    return answer(arguments, ask, create=True)


def _prune(arguments: argparse.Namespace) -> int:
    def ask(database: Database, retention: Retention) -> int:
        from postdeploy.history.writing import prune

        print(f"{prune(database, retention, now=time.time())} runs were older than is kept")
        return 0

    return answer(arguments, ask)
