"""``postdeploy plan``: what would run, against what, under which policy; nothing is sent."""

from __future__ import annotations

import argparse
import os
from typing import Any

from postdeploy.cli.pytest_command import add_options, child_environment, pytest_command

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("plan", help="show what would run against a target, and send nothing")
    add_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    """Become pytest: a plan has no verdict that somebody would have to watch over."""
    command = pytest_command(arguments, "--show-plan", "-qq")
    os.execve(command[0], command, child_environment(arguments))  # noqa: S606  # our own command, no shell
