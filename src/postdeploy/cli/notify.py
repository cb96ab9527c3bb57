"""``postdeploy notify``: tell people that the verdict has changed; neither it nor any exit status depends on that."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from postdeploy.cli.demand_options import add_demand, demand_of

__all__ = ["add", "tell_of_run"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("notify", help="tell those that 'notify' of a target names, if the verdict changed")
    add_demand(parser, required=True)
    parser.add_argument("--run-id", metavar="ID", help="the run that it must come from")
    parser.add_argument("--targets", default="targets.yaml", metavar="FILE", help="default: %(default)s")
    parser.add_argument("--told", metavar="FILE", help="who was told what (default: beside the reports folder)")
    parser.add_argument("--link", metavar="URL", help="where to read on, such as the page of the pipeline's run")
    parser.add_argument("--test", action="store_true", help="tell everybody, changed or not; exit with 1 if that fails")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import time
    from pathlib import Path

    from postdeploy.errors import ConfigurationError, SignatureError
    from postdeploy.notify.news import Place, tell
    from postdeploy.standing import Judge

    verdict = Path(arguments.verdict)
    told = Path(arguments.told) if arguments.told else None
    failures: list[str] = []
    try:
        standing = Judge(verdict, demand_of(arguments), time.time).standing({})
        place = Place(Path(arguments.targets), verdict.absolute().parent, told, arguments.link)
        deliveries = tell(standing, place, failures.append, always=arguments.test)
    except (ConfigurationError, SignatureError) as error:
        print(f"notify: {error}", file=sys.stderr)
        return 4
    _say([each.receiver.name for each in deliveries if each.problem is None], failures)
    return int(arguments.test and bool(failures or not deliveries))


def tell_of_run(arguments: argparse.Namespace, run_id: str, reports: str, status: int) -> None:
    """The same after a run that ended with this status; whatever goes wrong is told on standard error."""
    from pathlib import Path

    failures: list[str] = []
    try:
        from postdeploy.cli.run_standing import standing_of_run
        from postdeploy.notify.news import Place, tell

        standing = standing_of_run(arguments, run_id, reports, status)
        deliveries = tell(standing, Place(Path(arguments.targets or "targets.yaml"), Path(reports)), failures.append)
    except Exception as error:  # noqa: BLE001  # news never change what they are about
        print(f"notify: nobody was told: {error}", file=sys.stderr)
        return
    _say([each.receiver.name for each in deliveries if each.problem is None], failures)


def _say(told: list[str], failures: list[str]) -> None:
    for failure in failures:
        print(f"notify: {failure}", file=sys.stderr)
    print(f"notify: told {', '.join(told)}" if told else "notify: nobody was told", file=sys.stderr)
