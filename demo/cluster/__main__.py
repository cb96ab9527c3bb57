"""`python -m demo.cluster`: reads the command line and serves an empty cluster, for a deployer to fill."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from demo import server
from demo.cluster.control import PATH, control
from demo.cluster.processes import Processes
from demo.cluster.router import Router
from demo.cluster.slots import Slots
from demo.faults.base import FaultError, Listener
from demo.faults.registry import create


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        faults = _faults(options.fault)
        public, canary = server.bind(options.host, options.port), server.bind(options.host, options.canary_port)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    slots, processes = Slots(), Processes(options.environment, faults)
    router = Router(slots)
    router.canary_port = canary.getsockname()[1]

    def on_listening(_listener: Listener) -> None:
        addresses = " ".join(server.address(bound, options.host, secure=False) for bound in (public, canary))
        sys.stdout.write(f"cluster and canary listening on {addresses}\n")
        sys.stdout.flush()

    try:
        server.run(
            server.Server(_by_path(control(slots, processes, router), router), None, on_listening), public, canary
        )
    finally:
        processes.end_all()
    return 0


def _faults(texts: list[str]) -> dict[str, list[str]]:
    faults = defaultdict(list)
    for text in texts:
        fault, at, release = text.rpartition("@")
        if not at or create(fault).needs_tls:
            raise FaultError(f"{text}: not FAULT@RELEASE with a fault that does without TLS")
        faults[release].append(fault)
    return faults


def _by_path(acts: ASGIApp, router: ASGIApp) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (acts if scope["path"].startswith(f"{PATH}/") else router)(scope, receive, send)

    return app


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.cluster", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address (%(default)s)")
    add("--port", type=int, default=0, help="port of the front, 0 for any free one (%(default)s)")
    add("--canary-port", type=int, default=0, help="port where the idle slot answers alone (%(default)s)")
    add("--environment", default="production", help="what releases say that they are (%(default)s)")
    add("--fault", action="append", default=[], metavar="FAULT@RELEASE", help="break a release; may be repeated")
    return parser


if __name__ == "__main__":
    sys.exit(main())
