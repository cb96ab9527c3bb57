"""``postdeploy verify``: pytest as a child under a hard wall clock; the exit status follows from the sealed verdict."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from postdeploy.cli.gate import duration
from postdeploy.cli.pytest_command import add_options, child_environment, pytest_command
from postdeploy.domain.verdict import ExitStatus
from postdeploy.errors import DocumentError, JournalError
from postdeploy.journal import VERDICT_FILE, read_document, write_document

__all__ = ["add"]

_GRACE: Final = 30.0
"""Seconds that a run may take to end by itself after its own deadline."""

_UNTOLD: Final = 900.0
"""Seconds after which a run that never said its deadline is ended."""

_KILL: Final = 5.0
_TICK: Final = 0.25
_PYTEST: Final = frozenset({2, 3, 4, 5})
_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("verify", help="verify a target and exit with the action: 0, 10 or 20")
    add_options(parser)
    parser.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--run-id", metavar="ID", help="the name of this run (default: a new one)")
    parser.add_argument(
        "--wall-clock",
        type=duration,
        metavar="TIME",
        help=f"end the run by force after this (default: deadline + {_GRACE:g} s)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    run_id = arguments.run_id or f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(6)}"
    path = arguments.reports / VERDICT_FILE
    try:
        write_document(path, _unstarted(run_id, arguments))
    except JournalError as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return int(ExitStatus.NO_PROOF)
    command = pytest_command(arguments, f"--reports={arguments.reports.resolve()}", f"--run-id={run_id}")
    status = _supervise(command, child_environment(arguments), path, arguments.wall_clock)
    return _exit_status(path, run_id, status)


def _unstarted(run_id: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What stands on disk before pytest does anything, over any older verdict."""
    return {
        "schema": "postdeploy/verdict/1",
        "state": "started",
        "verdict": "inconclusive",
        "reason": "incomplete",
        "action": "hold",
        "summary": "the run was launched and has not begun",
        "warnings": [],
        "run": {"id": run_id, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "finished": None},
        "target": {"name": arguments.target},
        "release": {"expected": arguments.release},
    }


def _supervise(command: list[str], environment: dict[str, str], path: Path, limit: float | None) -> int:
    """Run the child in a process group of its own; returns its status, negative for the signal that ended it."""
    child = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603  # our own command
    begun = time.time()
    with _forwarding(child):
        while True:
            try:
                return child.wait(_TICK)
            except subprocess.TimeoutExpired:
                if time.time() >= (begun + limit if limit else _end(path, begun)):
                    print("postdeploy: the run outlived its deadline and is ended by force", file=sys.stderr)
                    return _end_group(child)


def _end(path: Path, begun: float) -> float:
    """When the child has to be gone: its own deadline, which it writes when it starts, and a grace."""
    try:
        ends_at = float(read_document(path)["run"]["ends_at"])
    except (DocumentError, KeyError, TypeError, ValueError):
        return begun + _UNTOLD
    return ends_at + _GRACE


def _end_group(child: subprocess.Popen[bytes]) -> int:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(_KILL)
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    return child.wait()


@contextmanager
def _forwarding(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass signals on to the child, which seals its verdict and ends."""

    def forward(number: int, _frame: object) -> None:
        if child.poll() is None:
            os.killpg(child.pid, number)

    former = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _exit_status(path: Path, run_id: str, status: int) -> int:
    """The action of the sealed verdict of this run; pytest's own words where it has one; otherwise hold."""
    try:
        document = read_document(path)
        sealed = document["state"] == "sealed" and document["run"]["id"] == run_id
        decided = (document["verdict"], document["action"]) if sealed else None
    except (DocumentError, KeyError, TypeError) as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        decided = None
    if decided == ("pass", "promote") and status == 0:
        return int(ExitStatus.PROMOTE)
    if decided == ("fail", "rollback"):
        return int(ExitStatus.ROLLBACK)
    if decided is None:
        print(f"postdeploy: the run ended with status {status} and without a sealed verdict: hold", file=sys.stderr)
    return status if status in _PYTEST else int(ExitStatus.HOLD)
