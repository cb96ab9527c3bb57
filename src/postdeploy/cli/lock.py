"""``postdeploy lock``: write down which checks there are, so that one that vanishes is missed; nothing is sent."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Final

from postdeploy.cli.pytest_command import child_environment, pytest_command

__all__ = ["add"]

_USAGE: Final = 4


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("lock", help="write postdeploy.lock, the list of all checks, or compare with it")
    parser.add_argument("target", metavar="TARGET", nargs="?", help="any target (default: the first of the file)")
    parser.add_argument("--targets", metavar="FILE", help="the targets file (default: targets.yaml)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the lock is stale")
    parser.add_argument("--all-plugins", action="store_true", help="load every installed pytest plugin")
    parser.usage = f"{parser.prog} [TARGET] [options] [-- PYTEST ARGUMENTS]"
    parser.set_defaults(run=_run, pytest=[])


def _run(arguments: argparse.Namespace) -> int:
    """Become pytest: only it knows all checks."""
    from postdeploy.errors import ConfigurationError

    try:
        arguments.target = arguments.target or _first_target(arguments.targets or "targets.yaml")
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(_USAGE)
    command = pytest_command(arguments, f"--lock={'check' if arguments.check else 'write'}", "-qq")
    os.execve(command[0], command, child_environment(arguments))  # noqa: S606  # our own command, no shell


def _first_target(targets: str) -> str:
    """Every target has all checks: those that are not for it are skipped by policy."""
    from pathlib import Path

    from postdeploy.config import target_names

    return target_names(Path(targets))[0]
