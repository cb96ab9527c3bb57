"""``postdeploy merge``: one verdict from the reports of all shards of a run."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from postdeploy.cli.demand_options import add_keys, keys_of
from postdeploy.cli.duration import duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postdeploy.demand import Demand

__all__ = ["add", "new_run_id", "sign"]

_USAGE: Final = 4
_HOLD: Final = 10


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("merge", help="make one verdict of the reports of all shards")
    add = parser.add_argument
    add("folders", nargs="+", metavar="DIR", help="the reports of a shard, or a folder that holds several such folders")
    add("--target", required=True, metavar="NAME", help="the target that every shard must be about")
    add("--release", metavar="ID", help="the release that every shard must be about")
    add("--reports", default="reports", metavar="DIR", help="where the merged reports go (default: %(default)s)")
    add("--run-id", metavar="ID", help="the name of the merged run (default: one that follows from the parts)")
    add("--history", metavar="PLACE", help="remember the merged run in a file or a PostgreSQL URL, or off")
    add("--targets", metavar="FILE", help="the targets file, which may say where runs are remembered")
    add("--max-age", default="1h", metavar="TIME", type=duration, help="of every shard (default: %(default)s)")
    add_keys(parser)
    add("--sign-key", metavar="KEY", help="sign the merged verdict with this key: a file, or env:NAME")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from postdeploy.cli.verify import remember
    from postdeploy.demand import Demand
    from postdeploy.domain.verdict import exit_status
    from postdeploy.errors import PostdeployError
    from postdeploy.merge import find_parts, merge

    reports, folders = Path(arguments.reports), list(find_parts(map(Path, arguments.folders)))
    if reports.resolve() in {folder.resolve() for folder in folders}:
        print(f"merge: {reports} holds a shard; name another folder with --reports", file=sys.stderr)
        return _USAGE
    try:
        keys = keys_of(arguments.public_key)
        release = arguments.release or None
        demand = Demand(arguments.target, release, None, arguments.max_age, time.time(), keys=keys)
        run = _about_run(arguments.run_id, folders)
        verdict = merge(folders, reports, demand, run)
        sign(reports, demand, run["id"], arguments.sign_key)
    except PostdeployError as error:
        print(f"merge: {error}", file=sys.stderr)
        return _HOLD
    print(f"{verdict.conclusion}, {verdict.action}: {verdict.reason}: {verdict.summary}")
    remember(arguments, str(reports))
    return int(exit_status(verdict))


def _about_run(name: str | None, folders: Sequence[Path]) -> dict[str, Any]:
    import platform

    from postdeploy import __version__
    from postdeploy.history.place import without_passwords
    from postdeploy.merge import name_of_parts

    run_id = name or name_of_parts(folders) or new_run_id()
    tool = {"name": "pytest-postdeploy", "version": __version__, "python": platform.python_version()}
    return {"id": run_id, "tool": tool, "argv": without_passwords(sys.argv[1:]), "pid": os.getpid()}


def new_run_id() -> str:
    """A name that sorts by time and that nobody can guess."""
    return time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + os.urandom(6).hex()


def sign(reports: Path, demand: Demand, run_id: str, place: str | None) -> None:
    """Put an envelope beside the merged verdict, once it is believed. Raises RefusedError or SignatureError."""
    from postdeploy.documents import VERDICT_FILE, write_atomically
    from postdeploy.journal import ENVELOPE_FILE

    (reports / ENVELOPE_FILE).unlink(missing_ok=True)
    if place is None:
        return
    from postdeploy.domain.attestation import render_statement, statement
    from postdeploy.dsse import seal_envelope
    from postdeploy.gate import believe
    from postdeploy.lazy_dataclass import replace
    from postdeploy.signing import PrivateKey, read_key

    key = PrivateKey.from_pem(read_key(place, os.environ))
    believed = believe(reports / VERDICT_FILE, replace(demand, run_id=run_id, keys=()))
    write_atomically(reports / ENVELOPE_FILE, seal_envelope(render_statement(statement(*believed)), key))
