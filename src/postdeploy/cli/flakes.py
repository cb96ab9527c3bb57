"""``postdeploy flakes``: which checks pass only when repeated, and which are in quarantine."""

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
    parser = commands.add_parser("flakes", help="checks that pass only when repeated, and quarantines")
    parser.add_argument("target", metavar="TARGET", help="a target that runs are remembered of")
    parser.add_argument("--days", type=int, default=30, metavar="N", help="of so many days (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_place(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    def ask(database: Database, _retention: Retention) -> int:
        import json

        from postdeploy.history.flakes import find_flakes, tell_flakes, tell_flakes_json
        from postdeploy.history.sums import check_sums

        now = time.time()
        flakes = find_flakes(check_sums(database, arguments.target, int(now // 86400) - arguments.days), now)
        print(json.dumps(tell_flakes_json(flakes), indent=1) if arguments.json else "\n".join(tell_flakes(flakes)))
        return 0

    return answer(arguments, ask)
