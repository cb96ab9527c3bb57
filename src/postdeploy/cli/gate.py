"""``postdeploy gate``: may the pipeline act on this verdict?

``gate begin`` names a run before it starts, ``gate check`` accepts it once; ``gate`` alone asks without a memory.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from postdeploy.cli.demand_options import add_demand, demand_of

if TYPE_CHECKING:
    from postdeploy.gate import Ruling

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command and the two below it."""
    parser = commands.add_parser(
        "gate", help="judge a sealed verdict: exit 0 promote, 20 roll back, 10 hold, 30 no proof"
    )
    add_demand(parser, required=False)
    _add_status(parser)
    parser.add_argument("--run-id", metavar="ID", help="the run that it must come from")
    parser.set_defaults(run=lambda arguments: _judge(parser, arguments))
    steps = parser.add_subparsers(metavar="begin | check", prog=parser.prog)
    begin = steps.add_parser("begin", help="name a run that nobody can guess, and clear the reports folder")
    _add_begin(begin)
    check = steps.add_parser("check", help="judge the verdict of a run that was begun, and accept it once")
    add_demand(check, required=True)
    _add_status(check)
    check.add_argument("--run-id", required=True, metavar="ID", help="what 'gate begin' has printed")
    _add_state(check)
    check.set_defaults(run=_check)


def _add_begin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", required=True, metavar="NAME", help="the target that will be verified")
    parser.add_argument("--release", metavar="ID", help="the release that will be verified")
    parser.add_argument("--targets", default="targets.yaml", metavar="FILE", help="default: %(default)s")
    parser.add_argument("--reports", default="reports", metavar="DIR", help="default: %(default)s")
    _add_state(parser)
    parser.set_defaults(run=_begin)


def _add_state(parser: argparse.ArgumentParser) -> None:
    text = "where begun runs are remembered (default: $XDG_STATE_HOME/postdeploy or ~/.local/state/postdeploy)"
    parser.add_argument("--state", metavar="DIR", help=text)


def _add_status(parser: argparse.ArgumentParser) -> None:
    text = "the exit status that the run ended with; it must fit the verdict"
    parser.add_argument("--rc", type=int, metavar="STATUS", help=text)


def _begin(arguments: argparse.Namespace) -> int:
    from postdeploy.cli.gate_begin import begin

    return begin(arguments)


def _judge(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """The simple form: what it is asked, it asks of the verdict, as often as one likes."""
    if arguments.target is None:
        parser.error("the following arguments are required: --target")
    return _say(_ruling(arguments))


def _check(arguments: argparse.Namespace) -> int:
    from postdeploy.errors import JournalError
    from postdeploy.gate import refuse
    from postdeploy.pipeline_state import PipelineState, default_place

    state = PipelineState(arguments.state or default_place(os.environ))
    try:
        begun = state.read(arguments.run_id)
        begun.require(arguments.target, arguments.release or None)
        config = arguments.config_digest or begun.config
        ruling = _ruling(arguments, begun=begun.begun, config=config, urls=dict(begun.urls) | dict(arguments.url))
        if ruling.status != refuse("").status:
            state.accept(arguments.run_id)
    except JournalError as error:
        ruling = refuse(error)
    return _say(ruling)


def _ruling(arguments: argparse.Namespace, **changes: Any) -> Ruling:
    from postdeploy.errors import SignatureError
    from postdeploy.gate import judge, refuse

    try:
        return judge(arguments.verdict, demand_of(arguments, status=arguments.rc, **changes))
    except SignatureError as error:
        return refuse(error)


def _say(ruling: Ruling) -> int:
    print(f"gate: {ruling.sentence}", file=sys.stdout if ruling.status == 0 else sys.stderr)
    return int(ruling.status)
