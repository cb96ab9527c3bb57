"""``postdeploy serve``: the verdict over HTTP for those that poll, metrics, and the status page."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from postdeploy.cli.demand_options import add_demand, demand_of
from postdeploy.cli.history_place import add_place
from postdeploy.cli.percent import percent

if TYPE_CHECKING:
    from postdeploy.serving.route import Routes
    from postdeploy.standing import Judge

__all__ = ["add", "read_token"]

_VARIABLE: Final = "env:"
_LEAST: Final = 16


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("serve", help="answer those that poll, such as Argo Rollouts, Flagger and Prometheus")
    add_demand(parser, required=True)
    parser.add_argument("--run-id", metavar="ID", help="the run that it must come from")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8717, help="0 takes one that is free (default: %(default)s)")
    parser.add_argument("--token", metavar="TOKEN", help="a file, or env:NAME; what askers must send as bearer token")
    add_place(parser, default="POSTDEPLOY_HISTORY, 'history' in targets.yaml, else no status page")
    parser.add_argument(
        "--objective", type=percent, default=0.999, metavar="PERCENT", help="of runs that are good (default: 99.9)"
    )
    parser.set_defaults(run=_run)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004  # the largest port
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: 0 to 65535")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    import gc
    import time
    from pathlib import Path

    from postdeploy.errors import ConfigurationError, HistoryError, SignatureError
    from postdeploy.serving.server import serving
    from postdeploy.standing import Judge

    gc.enable()
    asked = _asked_to_end()
    try:
        judge = Judge(Path(arguments.verdict), demand_of(arguments), time.time)
        token = read_token(arguments.token)
        with serving(_routes(judge, arguments), arguments.host, arguments.port, token=token) as url:
            _say(url, arguments, token)
            asked.wait()
    except (ConfigurationError, HistoryError, SignatureError, ValueError, OSError) as error:
        print(f"serve: {error}", file=sys.stderr)
        return 4
    return 0


def _routes(judge: Judge, arguments: argparse.Namespace) -> Routes:
    """Raises ConfigurationError or HistoryError for a place that is none."""
    from pathlib import Path

    from postdeploy.cli.history_place import find_history
    from postdeploy.serving.routes import all_routes

    found = find_history(arguments)
    place = found[0] if found else None
    return all_routes(judge, Path(arguments.verdict).parent, arguments.target, place, arguments.objective)


def read_token(place: str | None) -> str | None:
    """The token that stands in a file, or in a variable that is named as ``env:NAME``. Raises ValueError, OSError."""
    if place is None:
        return None
    if place.startswith(_VARIABLE):
        token = os.environ.get(place.removeprefix(_VARIABLE), "")
    else:
        with open(place, encoding="utf-8") as file:  # noqa: PTH123  # one line needs no pathlib
            token = file.read(4096)
    token = token.strip()
    if len(token) < _LEAST or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(f"the token in {place} is not one of {_LEAST} characters or more, in ASCII and without blanks")
    return token


def _say(url: str, arguments: argparse.Namespace, token: str | None) -> None:
    release = f" and release {arguments.release!a}" if arguments.release else ""
    print(f"serve: {url} answers about target {arguments.target!a}{release}", flush=True)
    if token is None and not _is_loopback(arguments.host):
        print("serve: anybody who reaches this address is answered; --token asks for a token", file=sys.stderr)


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _asked_to_end() -> threading.Event:
    """Set when somebody asks this process to end."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    return asked
