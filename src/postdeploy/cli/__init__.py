"""L5: the command line. ``postdeploy COMMAND``.

What a command needs is imported when it runs: the launcher's own start adds to every verification.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Final

from postdeploy import __version__
from postdeploy.cli.leaving import leave

__all__ = ["main"]

_COMMANDS: Final = (
    "init",
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
    command = given[0] if given[:1] and given[0] in _COMMANDS else None
    parser, rest = _parser([command] if command else _COMMANDS), given[end + 1 :]
    if given[:1] and command is None and not given[0].startswith("-"):
        parser.error(_no_such("command", given[0], _COMMANDS))
    parsed, unknown = parser.parse_known_args(given[:end])
    if unknown:
        own = _below(parser)[given[0]]
        own.error(_unknown(unknown[0], own, parsed))
    if rest and not hasattr(parsed, "pytest"):
        parser.error("only verify, watch, plan and lock pass arguments on to pytest")
    parsed.pytest = rest
    status: int = parsed.run(parsed)
    if arguments is None:
        leave(status)
    return status


def _unknown(word: str, parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> str:
    """What is wrong with a word that the command does not know."""
    if word.startswith("--"):
        return _no_such("option", word.partition("=")[0], sorted({*_options(parser)}))
    if hasattr(parsed, "pytest"):
        return f"{word!a} is not understood; what is for pytest stands after --, as in: {parser.prog} NAME -- {word}"
    return f"{word!a} is not understood; see '{parser.prog} --help'"


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The long ones of a command and of those below it."""
    yield from (word for action in parser._actions for word in action.option_strings if word.startswith("--"))  # noqa: SLF001  # argparse has no public word for them
    for below in _below(parser).values():
        yield from _options(below)


def _below(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    found = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    return next((action.choices for action in found), {})


def _no_such(what: str, word: str, known: Iterable[str]) -> str:
    from postdeploy.config.wording import way_out

    return f"no {what} {word!a}; {way_out(word, known)}"


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
