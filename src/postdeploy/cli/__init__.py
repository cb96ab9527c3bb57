"""L5: the command line. ``postdeploy COMMAND``.

What a command needs is imported when it runs: the launcher's own start adds to every verification.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Final

from postdeploy import __version__
from postdeploy.cli.leaving import leave

__all__ = ["main"]

_COMMANDS: Final = (
    "verify",
    "watch",
    "merge",
    "vantages",
    "gate",
    "serve",
    "notify",
    "report",
    "history",
    "flakes",
    "slo",
    "status",
    "replay",
    "plan",
    "lock",
    "validate",
    "sweep",
    "keygen",
)
"""In the order of the help; each is the module of its name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status, or ends the process with it where none is given.

    What stands after ``--`` is pytest's.
    """
    if arguments is None:
        gc.disable()  # what a command makes lives until its end; what runs for longer collects again
    _open_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    parser, rest = _parser(given[:1] if given[:1] and given[0] in _COMMANDS else _COMMANDS), given[end + 1 :]
    parsed = parser.parse_args(given[:end])
    if rest and not hasattr(parsed, "pytest"):
        parser.error("only verify, watch, plan and lock pass arguments on to pytest")
    parsed.pytest = rest
    status: int = parsed.run(parsed)
    if arguments is None:
        leave(status)
    return status


def _open_streams() -> None:
    """A standard stream that is closed would become the first file that is opened, and be written over."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _parser(names: Iterable[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="postdeploy",
        description="Is the release that was just deployed really live, and does it work?",
        epilog="exit status: 0 promote, 20 roll back, anything else hold (10 inconclusive or a failure to hold for, "
        "30 no proof or wrong proof, 2 to 5 pytest's own)",
    )
    parser.add_argument("--version", action="version", version=f"postdeploy {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog=parser.prog)
    for name in names:
        import_module(f"postdeploy.cli.{name}").add(commands)
    return parser
