"""``postdeploy gate``: may the pipeline act on this verdict?"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from postdeploy.cli.duration import duration

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "gate", help="judge a sealed verdict: exit 0 promote, 20 roll back, 10 hold, 30 no proof"
    )
    parser.add_argument("--target", required=True, metavar="NAME", help="the target that the verdict must be about")
    parser.add_argument("--release", metavar="ID", help="the release that it must be about, as it was given to verify")
    parser.add_argument("--run-id", metavar="ID", help="the run that it must come from")
    parser.add_argument("--max-age", default="15m", metavar="TIME", type=duration, help="default: %(default)s")
    parser.add_argument("--verdict", default="reports/verdict.json", metavar="FILE", help="default: %(default)s")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from postdeploy.gate import Demand, judge

    demand = Demand(arguments.target, arguments.release or None, arguments.run_id, arguments.max_age, now=time.time())
    ruling = judge(Path(arguments.verdict), demand)
    print(f"gate: {ruling.sentence}", file=sys.stdout if ruling.status == 0 else sys.stderr)
    return int(ruling.status)
