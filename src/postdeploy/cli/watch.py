"""``postdeploy watch``: a resident monitor, which verifies a target again and again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from postdeploy.cli.duration import duration

if TYPE_CHECKING:
    from postdeploy.serving.route import Routes

__all__ = ["add"]

_USAGE: Final = 4
_JITTER: Final = 60.0
_KEEP: Final = 20
_LEAST: Final = 1.0
_UNFIT: Final = {"release", "baseline", "only", "shard", "shard-by", "monitor"}
"""Options of a run that make no sense for one of many: nothing was deployed, and a part of a suite proves nothing."""


def add(commands: Any) -> None:
    """Add the command."""
    from postdeploy.run_options import RUN_OPTIONS

    parser = commands.add_parser("watch", help="verify a target on a schedule, in a process that stays")
    parser.add_argument("target", metavar="TARGET", help="a target of targets.yaml")
    parser.add_argument("--every", type=duration, default=60.0, metavar="TIME", help="between two runs (default: 60s)")
    parser.add_argument(
        "--jitter", type=_delay, default=_JITTER, metavar="TIME",
        help="begin within this, at a moment that target and machine decide (default: 60s, and at most --every)",
    )  # fmt: skip
    parser.add_argument("--reports", default="reports", metavar="DIR", help="default: %(default)s")
    parser.add_argument(
        "--keep", type=_count, default=_KEEP, metavar="N",
        help="of how many runs that did not pass the reports are kept (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--listen", metavar="HOST:PORT", help="also answer about the monitor there, over HTTP")
    parser.add_argument("--token", metavar="TOKEN", help="a file, or env:NAME; what askers must send as bearer token")
    parser.add_argument("--notify", action="store_true", help="tell those that 'notify' of the target names")
    parser.add_argument("--wall-clock", type=duration, metavar="TIME", help="end a run by force after this")
    parser.add_argument("--fresh-browser", action="store_true", help="start a browser for each run that needs one")
    parser.add_argument("--json", action="store_true", help="one line of JSON a run")
    parser.add_argument("-q", "--quiet", action="store_true", help="a line only where the verdict changes")
    parser.add_argument("--all-plugins", action="store_true", help="load every installed pytest plugin")
    for option in RUN_OPTIONS:
        if option.name not in _UNFIT:
            parser.add_argument(f"--{option.name}", **option.keywords)
    parser.usage = f"{parser.prog} TARGET [options] [-- PYTEST ARGUMENTS]"
    unfit = {name.replace("-", "_"): None for name in _UNFIT} | {"monitor": True}
    parser.set_defaults(run=_run, pytest=[], sign_key=None, termination_message=None, **unfit)


def _delay(text: str) -> float:
    return 0.0 if text in {"0", "0s"} else duration(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of runs: 0 or more")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from postdeploy.documents import refuse_linked_folder
    from postdeploy.errors import ConfigurationError, JournalError
    from postdeploy.watching.lock import alone

    arguments.reports = os.path.abspath(arguments.reports)  # noqa: PTH100  # as verify does
    try:
        if arguments.every < _LEAST:
            raise ValueError(f"--every has to be at least {_LEAST:g} s")  # noqa: TRY301
        _require_target(arguments)
        refuse_linked_folder(arguments.reports)
        with alone(Path(arguments.reports)):
            _watch(arguments)
    except (ConfigurationError, JournalError, ValueError, OSError) as error:
        print(f"watch: {error}", file=sys.stderr)
        return _USAGE
    return 0


def _require_target(arguments: argparse.Namespace) -> None:
    """A monitor that begins with a wrong name or an unreadable file is a mistake; what goes wrong later is watched."""
    from pathlib import Path

    from postdeploy.config import target_names

    names = target_names(Path(arguments.targets or "targets.yaml"))
    if arguments.target not in names:
        raise ValueError(f"unknown target {arguments.target!a}: {', '.join(names)}")


def _routes(arguments: argparse.Namespace) -> Routes:
    """What is answered about the monitor. Raises ConfigurationError or HistoryError for a history that is no place."""
    from pathlib import Path

    from postdeploy.cli.history_place import find_history
    from postdeploy.serving.watch_routes import watch_routes

    found = find_history(arguments)
    return watch_routes(Path(arguments.reports), arguments.target, arguments.every, found[0] if found else None)


def _watch(arguments: argparse.Namespace) -> None:
    from platform import node

    from postdeploy.cli.supervision import Inbox
    from postdeploy.cli.watch_monitor import ResidentMonitor
    from postdeploy.cli.watch_output import teller
    from postdeploy.cli.watch_server import Server
    from postdeploy.watching.schedule import Schedule, start_delay
    from postdeploy.watching.ticking import tick_on

    server = None
    with Inbox() as inbox:
        try:
            if arguments.listen:
                host, port, token = _listening(arguments)
                server = Server(lambda: _routes(arguments), host, port, token, inbox.close)
                said = f"watch: {server.start()} answers about target {arguments.target!a}"
                print(said, file=sys.stderr if arguments.json else sys.stdout, flush=True)
            from postdeploy.cli.warm_imports import import_all

            import_all(reports=bool(arguments.report))
            delay = start_delay(arguments.every, arguments.jitter, arguments.target, node())
            schedule = Schedule(arguments.every, _clock() + delay)

            def due() -> float:
                now = _clock()
                return schedule.at(schedule.due(now) + 1) - now

            monitor = ResidentMonitor(arguments, inbox, due, teller(arguments), server)
            if not monitor.begin():
                tick_on(schedule, _clock, monitor)
            monitor.end()
        finally:
            if server is not None:
                server.close()


def _listening(arguments: argparse.Namespace) -> tuple[str, int, str | None]:
    from postdeploy.cli.serve import read_token

    host, _, port = arguments.listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004  # the largest port
        raise ValueError(f"--listen takes HOST:PORT, not {arguments.listen!a}")
    return host, int(port), read_token(arguments.token)


def _clock() -> float:
    """Seconds of a clock that nobody sets, and that goes on while the machine sleeps where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
