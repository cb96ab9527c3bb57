"""``postdeploy slo``: availability of a target, what is left of its error budget, and how fast it burns."""

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
    parser = commands.add_parser("slo", help="availability, error budget, burn rate")
    parser.add_argument("target", metavar="TARGET", help="a target that runs are remembered of")
    parser.add_argument(
        "--objective", type=_percent, default=0.999, metavar="PERCENT", help="of runs that are good (default: 99.9)"
    )
    parser.add_argument("--days", type=int, default=30, metavar="N", help="over so many days (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_place(parser)
    parser.set_defaults(run=_run)


def _percent(given: str) -> float:
    percent = float(given.removesuffix("%"))
    if not 0 < percent < 100:  # noqa: PLR2004  # percent
        raise argparse.ArgumentTypeError("more than 0 and less than 100, such as 99.9")
    return percent / 100


def _run(arguments: argparse.Namespace) -> int:
    def ask(database: Database, _retention: Retention) -> int:
        import json

        from postdeploy.history.reading import verdicts_since
        from postdeploy.history.slo import objective_of, tell_checks, tell_objective, tell_objective_json
        from postdeploy.history.sums import check_sums, hour_sums

        now, target, days = int(1000 * time.time()), arguments.target, arguments.days
        hours = hour_sums(database, target, now // 3_600_000 - 24 * days)
        recent = verdicts_since(database, target, now - 3 * 86_400_000)
        objective = objective_of(target, arguments.objective, days, hours, recent, now)
        if arguments.json:
            print(json.dumps(tell_objective_json(objective), indent=1))
            return 0
        print(*tell_objective(objective), sep="\n")
        for line in tell_checks(check_sums(database, target, now // 86_400_000 - days), arguments.objective):
            print(line)
        return 0

    return answer(arguments, ask)
