"""``postdeploy validate``: every configuration error at once, without sending anything."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["add"]

_USAGE: Final = 4


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("validate", help="list every error in the targets file and the declared suites")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="files or folders (default: suites)")
    parser.add_argument("--targets", default="targets.yaml", metavar="FILE", help="default: %(default)s")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from postdeploy.config import problems

    suites = sorted(set(_files(map(Path, arguments.suites or ["suites"]))))
    found = problems(Path(arguments.targets), suites, Path.cwd(), os.environ)
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print(f"{len(found)} error{'s' if len(found) > 1 else ''}", file=sys.stderr)
        return _USAGE
    if suites:
        print(f"{arguments.targets} and {len(suites)} suite{'s' if len(suites) > 1 else ''} are valid")
    else:
        print(
            f"{arguments.targets} is valid; no declared suite was found in {', '.join(arguments.suites or ['suites'])}"
        )
    return 0


def _files(places: Iterable[Path]) -> Iterator[Path]:
    from postdeploy.config import is_suite

    for place in places:
        if place.is_dir():
            found = (path for path in place.rglob("*") if path.suffix in {".yaml", ".yml"})
            yield from (path for path in found if is_suite(path))
        else:
            yield place
