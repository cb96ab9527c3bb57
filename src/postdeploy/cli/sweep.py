"""``postdeploy sweep``: remove what runs have created on a target and were not able to remove themselves."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from postdeploy.domain.creation import Creation
    from postdeploy.domain.target import Target

__all__ = ["add"]

_LEFT: Final = 10
_USAGE: Final = 4


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("sweep", help="remove what runs that died have left on a target")
    parser.add_argument("target", metavar="TARGET", help="a target of targets.yaml")
    parser.add_argument("--targets", default="targets.yaml", metavar="FILE", help="default: %(default)s")
    parser.add_argument(
        "--reports", default="reports", metavar="DIR", help="where the ledger is (default: %(default)s)"
    )
    parser.add_argument("--allow-writes", metavar="TARGET", help="let a protected target be written to")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be removed, and send nothing")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import os
    from pathlib import Path

    from postdeploy.config import load_target
    from postdeploy.created import LEDGER_FILE, exclusive, read_ledger
    from postdeploy.errors import ConfigurationError, JournalError
    from postdeploy.lazy_dataclass import replace

    path = Path(arguments.reports) / LEDGER_FILE
    try:
        target = load_target(Path(arguments.targets), arguments.target, os.environ)
        granted = arguments.allow_writes == target.name
        target = replace(target, access=replace(target.access, granted=granted))
        if not path.exists():
            print(f"nothing is left on {target.name}: there is no {path}")
            return 0
        with exclusive(path):
            left = [each for each in read_ledger(path) if each.target == target.name]
            return _show(left) if arguments.dry_run else _sweep(path, target, left)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return _USAGE
    except JournalError as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return _LEFT


def _show(left: list[Creation]) -> int:
    for creation in left:
        print(f"would undo: {_words(creation)}")
    return _LEFT if left else 0


def _sweep(path: Path, target: Target, left: list[Creation]) -> int:
    from postdeploy.created import append_alone
    from postdeploy.domain.creation import undone_record
    from postdeploy.domain.redaction import Redactor
    from postdeploy.engine.sweep import Sweeper

    mask = Redactor(target.secrets).tree
    remaining = 0
    with Sweeper(target, "sweep") as sweeper:
        for creation in left:
            problem = sweeper.undo(creation)
            remaining += problem is not None
            print(mask(f"{'left' if problem else 'undone'}: {_words(creation)}" + (f": {problem}" if problem else "")))
            if problem is None:
                append_alone(path, undone_record(creation.id))
    print(f"{remaining} left on {target.name}, {len(left) - remaining} undone")
    return _LEFT if remaining else 0


def _words(creation: Creation) -> str:
    last = creation.undo[-1] if creation.undo else {"method": "?", "place": "?"}
    return f"{creation.check} of run {creation.run} ({last['method']} {last['place']})"
