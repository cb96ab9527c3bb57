"""``postdeploy verify``: pytest as a child under a hard wall clock; the exit status follows from the sealed verdict."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from postdeploy.cli.duration import duration
from postdeploy.cli.pytest_command import add_options, child_environment, run_pytest

if TYPE_CHECKING:
    from postdeploy.cli.signer import Signer
    from postdeploy.cli.supervision import Ended

__all__ = ["add", "latest_end", "launch", "new_run_id", "remember"]

_GRACE: Final = 30.0
"""Seconds that a run may take to end by itself after its own deadline."""

_UNTOLD: Final = 900.0
"""Seconds after which a run that never said its deadline is ended."""

_HOLD: Final = 10
_USAGE: Final = 4

_TELLERS: Final = (
    *("postdeploy.cli.notify", "postdeploy.cli.run_standing", "postdeploy.cli.termination", "postdeploy.notify.news"),
    *("postdeploy.notify.smtp", "postdeploy.notify.mail", "postdeploy.notify.post", "postdeploy.exporters.escaping"),
    *("email.policy", "email.contentmanager", "encodings.idna", "encodings.unicode_escape", "encodings.utf_16_le"),
)


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("verify", help="verify a target and exit with the action: 0, 10 or 20")
    add_options(parser)
    parser.add_argument("--reports", default="reports", metavar="DIR", help="default: %(default)s")
    parser.add_argument("--run-id", metavar="ID", help="the name of this run (default: a new one)")
    parser.add_argument(
        "--wall-clock",
        type=duration,
        metavar="TIME",
        help=f"end the run by force after this (default: deadline + {_GRACE:g} s)",
    )
    parser.add_argument("--sign-key", metavar="KEY", help="sign the verdict with this key: a file, or env:NAME")
    parser.add_argument("--notify", action="store_true", help="tell those that 'notify' of the target names")
    parser.add_argument("--termination-message", metavar="FILE", help="also write what Kubernetes keeps of the pod")
    parser.set_defaults(run=launch)


def launch(arguments: argparse.Namespace) -> int:
    """Launch a run, and tell of it; returns the exit status."""
    run_id = arguments.run_id or new_run_id()
    reports = os.path.abspath(arguments.reports)  # noqa: PTH100  # pathlib costs milliseconds
    message: str | None = arguments.termination_message
    if arguments.sign_key and (arguments.notify or message):
        _import_what_tells()
    if message:
        from postdeploy.cli.termination import tell_termination, write_message

        write_message(message, f"INCONCLUSIVE: hold: the run {run_id} was launched and has not ended\n")
    status = _verify(arguments, run_id, reports)
    if message:
        tell_termination(message, arguments, run_id, reports, status)
    if arguments.monitor:
        from postdeploy.cli.monitor import finish_monitoring

        finish_monitoring(arguments, run_id, reports)
    elif arguments.notify:
        from postdeploy.cli.notify import tell_of_run

        tell_of_run(arguments, run_id, reports, status)
    return status


def new_run_id() -> str:
    """A name that no other run has; by name, runs are in the order in which they began."""
    return time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + os.urandom(6).hex()


def _import_what_tells() -> None:
    """Where this process has a key, it imports nothing any more once the code of a run could have altered it."""
    from importlib import import_module

    for name in _TELLERS:
        import_module(name)


def _verify(arguments: argparse.Namespace, run_id: str, reports: str) -> int:
    from postdeploy.cli.supervision import supervise
    from postdeploy.documents import VERDICT_FILE, refuse_linked_folder, write_document
    from postdeploy.domain import status as _status  # noqa: F401 - both processes need it, and now it is loaded once
    from postdeploy.errors import JournalError, SignatureError

    path = f"{reports}/{VERDICT_FILE}"

    def work() -> int:
        secretive = arguments.sign_key is not None
        return run_pytest(arguments, f"--reports={reports}", f"--run-id={run_id}", afresh=secretive)

    try:
        refuse_linked_folder(reports)
        signer = _signer(arguments.sign_key, reports)
        write_document(path, _unstarted(run_id, arguments))
        ended = supervise(work, child_environment(arguments), latest_end(path, run_id, arguments.wall_clock))
        document = _document(path, run_id)
        if not _is_sealed(document, arguments) or _is_doubtful(document, ended.status):
            _salvage(reports, run_id, ended, "after" if _is_sealed(document, arguments) else "before")
            if arguments.sign_key is None:
                remember(arguments, reports)
        elif ended.status < 0 and arguments.sign_key is None:  # it was killed before it could, or just after
            remember(arguments, reports)
        if not _document(path, run_id):  # the child took it away, or left a foreign one in its place
            write_document(path, _unstarted(run_id, arguments))
    except (JournalError, SignatureError, OSError) as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return _HOLD
    status = _exit_status(path, run_id, arguments, ended.status)
    about = (arguments.target, arguments.release or None, run_id)
    return signer.sign_or_hold(path, about, status) if signer else status


def _signer(place: str | None, reports: str) -> Signer | None:
    """What holds the key, if the verdict is to be signed; what an older run signed is gone in any case."""
    with suppress(OSError):
        os.unlink(f"{reports}/verdict.dsse.json")  # noqa: PTH108  # pathlib costs milliseconds
    if place is None:
        return None
    from postdeploy.cli.signer import Signer

    return Signer(place)


def _unstarted(run_id: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What stands on disk before pytest does anything, over any older verdict."""
    from postdeploy import __version__

    tool = {"name": "pytest-postdeploy", "version": __version__, "python": ".".join(map(str, sys.version_info[:3]))}
    return {
        "schema": "postdeploy/verdict/1",
        "state": "started",
        "verdict": "inconclusive",
        "reason": "incomplete",
        "action": "hold",
        "summary": "the run was launched and has not begun",
        "warnings": [],
        "run": {"id": run_id, "mode": "monitor" if getattr(arguments, "monitor", False) else "gate"}
        | {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "finished": None, "tool": tool},
        "target": {"name": arguments.target},
        "release": {"expected": arguments.release or None},
    }


def latest_end(
    path: str, run_id: str, limit: float | None, clock: Callable[[], float] = time.monotonic
) -> Callable[[], float]:
    """When the child has to be gone: after the limit, or its own deadline, which it writes when it starts.

    In seconds of the monotonic clock, for the other one may be set while the run goes on.
    """
    begun, own = clock(), 0.0

    def ends_at() -> float:
        nonlocal own
        if limit is not None:
            return begun + limit
        if not own:
            seconds = _own_seconds(_document(path, run_id).get("run", {}))
            own = clock() + seconds + _GRACE if seconds is not None else 0.0
        return own or begun + _UNTOLD

    return ends_at


def _own_seconds(run: dict[str, Any]) -> float | None:
    """How long a run gives itself: the difference of two times of one moment, which no setting of a clock changes."""
    ends_at = run.get("ends_at")
    if not isinstance(ends_at, int | float) or not isfinite(ends_at):
        return None
    from datetime import datetime

    try:
        return ends_at - datetime.fromisoformat(run["started"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _document(path: str, run_id: str) -> dict[str, Any]:
    """The verdict file if it is of this run, else nothing."""
    from postdeploy.documents import read_document
    from postdeploy.errors import DocumentError

    try:
        document = read_document(path)
        return document if document["run"]["id"] == run_id else {}
    except (DocumentError, KeyError, TypeError):
        return {}


def _salvage(reports: str, run_id: str, ended: Ended, when: str) -> None:
    """The child did not seal, or ended badly afterwards: make the verdict of what it wrote down before it ended."""
    from signal import Signals

    from postdeploy.errors import JournalError
    from postdeploy.salvage import salvage

    how = f"by {Signals(-ended.status).name}" if ended.status < 0 else f"with status {ended.status}"
    message = f"the process of the run ended {how} {when} it sealed its verdict"
    reason = "incomplete"
    if ended.forwarded:
        reason, message = "interrupted", f"the run was ended by {Signals(ended.forwarded[0]).name}; {message}"
    elif ended.forced:
        reason, message = "deadline_exceeded", f"the run did not end in time and was ended by force; {message}"
    try:
        verdict = salvage(reports, run_id, reason=reason, message=message, status=ended.status, at=time.time())
    except JournalError as error:
        if ended.status != _USAGE:  # of which pytest has said what is wrong: it was before there was a journal
            print(f"postdeploy: {error}", file=sys.stderr)
    else:
        print(f"postdeploy: {verdict.conclusion}, {verdict.action}: {verdict.summary}", file=sys.stderr)


def remember(arguments: argparse.Namespace, reports: str) -> None:
    """Leave in the history what a dead run has left, as it would have done itself; it is told if that fails."""
    from pathlib import Path

    from postdeploy.cli.history_place import find_history
    from postdeploy.errors import PostdeployError
    from postdeploy.history.importing import read_run
    from postdeploy.history.keeping import keep

    try:
        found = find_history(arguments)
        kept = keep(found[0], read_run(Path(reports) / "evidence.jsonl"), Path(reports), found[1]) if found else None
    except PostdeployError as error:
        print(f"postdeploy: this run is not in the history: {error}", file=sys.stderr)
    else:
        if kept is not None and kept.problem:
            print(f"postdeploy: this run is not in the history yet: {kept.problem}", file=sys.stderr)


def _exit_status(path: str, run_id: str, arguments: argparse.Namespace, status: int) -> int:
    """What follows from the sealed verdict of this run alone; a child that ended badly cannot promote."""
    from postdeploy.domain.status import ExitStatus, status_of

    document = _document(path, run_id)
    if not _is_sealed(document, arguments):
        print(f"postdeploy: the run ended with status {status} and without a sealed verdict: hold", file=sys.stderr)
        return status if status in {2, 3, 4, 5} else _HOLD
    decided = status_of(document["verdict"], document["action"], document["reason"])
    if decided == ExitStatus.PROMOTE and status != 0:
        print(f"postdeploy: the verdict is pass, but the run ended with status {status}: hold", file=sys.stderr)
        return _HOLD
    return decided


def _is_doubtful(document: dict[str, Any], status: int) -> bool:
    """Whether it says pass, and the process that sealed it ended otherwise than with the status of that."""
    from postdeploy.domain.status import status_of

    return document["verdict"] == "pass" and status != status_of("pass", document["action"], document["reason"])


def _is_sealed(document: dict[str, Any], arguments: argparse.Namespace) -> bool:
    """Whether this is a sealed verdict about what was asked."""
    try:
        about = (document["state"], document["target"]["name"], document["release"]["expected"])
        words = all(isinstance(document[key], str) for key in ("verdict", "action", "reason"))
    except (KeyError, TypeError):
        return False
    return words and about == ("sealed", arguments.target, arguments.release or None)
