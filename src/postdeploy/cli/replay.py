"""``postdeploy replay``: judge stored evidence again under the policy of a target."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Final

__all__ = ["add"]

_USAGE: Final = 4


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("replay", help="judge stored evidence again, under another policy; nothing is sent")
    parser.add_argument("journals", nargs="+", metavar="JOURNAL", help="evidence.jsonl, or a folder with any below it")
    parser.add_argument("--policy", metavar="TARGET", help="the policy of this target (default: that of each run)")
    parser.add_argument("--targets", default="targets.yaml", metavar="FILE", help="default: %(default)s")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from postdeploy.config import target_policy
    from postdeploy.errors import ConfigurationError
    from postdeploy.replay import find_journals, replay, tell

    try:
        named = arguments.policy
        policy = target_policy(Path(arguments.targets), named, os.environ) if named else None
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return _USAGE
    runs = replay(find_journals(map(Path, arguments.journals)), policy)
    for line in tell(runs):
        print(line)
    return 0 if runs and all(run.problem is None for run in runs) else 1
