"""``postdeploy slo``: availability of a target, what is left of its error budget, and how fast it burns."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from postdeploy.cli.history_place import add_place, answer
from postdeploy.cli.percent import percent

if TYPE_CHECKING:
    from postdeploy.domain.retention import Retention
    from postdeploy.history.database import Database

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("slo", help="availability, error budget, burn rate")
    parser.add_argument("target", metavar="TARGET", help="a target that runs are remembered of")
    parser.add_argument(
        "--objective", type=percent, default=0.999, metavar="PERCENT", help="of runs that are good (default: 99.9)"
    )
    parser.add_argument("--days", type=int, default=30, metavar="N", help="over so many days (default: %(default)s)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--prometheus", action="store_true", help="as metrics for a textfile collector")
    add_place(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    def ask(database: Database, _retention: Retention) -> int:
        import json

        from postdeploy.history.reading import reasons_of_doubt, verdicts_since
        from postdeploy.history.slo import objective_of, tell_checks, tell_objective, tell_objective_json
        from postdeploy.history.sums import check_sums, hour_sums
        from postdeploy.lazy_dataclass import replace

        now, target, days = int(1000 * time.time()), arguments.target, arguments.days
        hours = hour_sums(database, target, now // 3_600_000 - 24 * days)
        recent = verdicts_since(database, target, now - 3 * 86_400_000)
        reasons = reasons_of_doubt(database, target, 3_600_000 * (now // 3_600_000 - 24 * days))
        objective = replace(
            objective_of(target, arguments.objective, days, hours, recent, now), unknown_reasons=reasons
        )
        if arguments.json:
            print(json.dumps(tell_objective_json(objective), indent=1))
            return 0
        if arguments.prometheus:
            from postdeploy.exporters.exposition import exposition
            from postdeploy.serving.monitor_metrics import objective_families

            sys.stdout.write(exposition(objective_families(objective)).decode())
            return 0
        print(*tell_objective(objective), sep="\n")
        for line in tell_checks(check_sums(database, target, now // 86_400_000 - days), arguments.objective):
            print(line)
        return 0

    return answer(arguments, ask)
