"""``postdeploy plan``: what would run, against what, under which policy; nothing is sent."""

from __future__ import annotations

import argparse
import subprocess
from typing import Any

from postdeploy.cli.pytest_command import add_options, child_environment, pytest_command

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("plan", help="show what would run against a target, and send nothing")
    add_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    command = pytest_command(arguments, "--show-plan", "-q")
    return subprocess.run(command, env=child_environment(arguments), check=False).returncode  # noqa: S603  # ours
