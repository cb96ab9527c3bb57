"""`python -m demo`: reads the command line and serves."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from demo import server
from demo.deployment import Deployment
from demo.faults.base import FaultError, Listener
from demo.faults.registry import create, listing
from demo.front import Front, Manner
from demo.release import Release

if TYPE_CHECKING:
    from demo.certificates import Authority

_HIGHEST_PORT = 65_535
_LONGEST_DELAY = 600_000
_EXAMPLES = """\
examples:
  python -m demo
  python -m demo --port 0 --release 4f9d2c1 --fault slow-api=800 --fault export-broken
  python -m demo --blue-green 4f9d2c1 a81be03 --fault api-500@green
  python -m demo --tls --tls-dir /tmp/demo-tls --fault expired-certificate
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the command line says and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list_faults:
        _say(listing())
        return 0
    try:
        deployment = _deployment(options)
        bound = server.bind(options.host, options.port)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        _say(f"cannot listen on {options.host}:{options.port}: {error.strerror}", sys.stderr)
        return 1
    authority = _authority(options)
    url = server.address(bound, options.host, authority is not None)

    def on_listening(listener: Listener) -> None:
        deployment.listening(listener)
        _say(f"TalkStudio demo listening on {url}")

    manner = Manner(options.delay / 1000, not options.no_control, options.quiet)
    server.run(server.Server(Front(deployment, manner), authority, on_listening), bound)
    return 0


def _say(text: str, stream: TextIO = sys.stdout) -> None:
    stream.write(f"{text}\n")
    stream.flush()


def _deployment(options: argparse.Namespace) -> Deployment:
    names = ("blue", "green") if options.blue_green else ("live",)
    commits = options.blue_green or (options.release,)
    releases = {
        name: Release(commit, options.version, options.environment) for name, commit in zip(names, commits, strict=True)
    }
    deployment = Deployment(releases)
    deployment.add(options.fault)
    for spec in options.fault:
        fault = create(spec.partition("@")[0])
        if fault.needs_tls and not options.tls:
            raise FaultError(f"{fault.name} needs --tls")
    return deployment


def _authority(options: argparse.Namespace) -> Authority | None:
    if not options.tls:
        return None
    # Imported here because it takes as long as everything else together.
    from demo.certificates import Authority

    directory = options.tls_dir or Path(tempfile.mkdtemp(prefix="talkstudio-demo-"))
    authority = Authority(directory, options.host)
    _say(f"CA certificate: {authority.ca_file}", sys.stderr)
    return authority


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Serve a TalkStudio stand-in: a JSON API, a chat websocket and an editor page.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_listening(parser.add_argument_group("where it listens"))
    _add_release(parser.add_argument_group("what it claims to be"))
    _add_behaviour(parser.add_argument_group("how it behaves"))
    return parser


def _add_listening(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="address (%(default)s)")
    group.add_argument("--port", type=_port, default=5173, help="port, 0 for any free one (%(default)s)")
    group.add_argument("--tls", action="store_true", help="serve HTTPS with a certificate of an own CA")
    group.add_argument("--tls-dir", type=Path, metavar="DIR", help="where ca.pem is written (a new folder)")


def _add_release(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--release", default="local", metavar="COMMIT", help="commit (%(default)s)")
    group.add_argument("--version", default="1.0.0", help="version (%(default)s)")
    group.add_argument("--environment", default="development", help="environment (%(default)s)")
    group.add_argument(
        "--blue-green",
        nargs=2,
        metavar=("BLUE", "GREEN"),
        help="serve two commits behind one switch, blue first",
    )


def _add_behaviour(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[=VALUE][@SLOT]",
        help="switch a fault on; may be repeated",
    )
    group.add_argument("--list-faults", action="store_true", help="print every fault and leave")
    group.add_argument(
        "--delay", type=_milliseconds, default=0, metavar="MS", help="wait before each answer (%(default)s)"
    )
    group.add_argument("--no-control", action="store_true", help="do not serve /_demo")
    group.add_argument("--quiet", action="store_true", help="do not print requests")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _milliseconds(text: str) -> float:
    milliseconds = float(text)
    if not 0 <= milliseconds <= _LONGEST_DELAY:
        raise argparse.ArgumentTypeError("a delay is a number of milliseconds up to 600000")
    return milliseconds


if __name__ == "__main__":
    sys.exit(main())
