"""What is wrong in the files that people write: collected while reading, raised together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from postdeploy.config.node import Node, Place
from postdeploy.errors import ConfigProblem, ConfigurationError, SecretMissingError

__all__ = ["Report", "Wrong", "in_order", "raise_problems", "show_path"]


_ENOUGH: Final = 1000
_LONGEST: Final = 1000


class Wrong(Exception):  # noqa: N818 - it never leaves this package; what people see is a ConfigProblem
    """A value that cannot be used; the message continues a sentence that begins with the name of its key."""

    def __init__(self, message: str, hint: str | None = None, at: Place | None = None) -> None:
        self.message = message
        self.hint = hint
        self.at = at
        super().__init__(message)


class Report:
    """The problems of one file; ``missing`` are those that only an absent variable causes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[ConfigProblem] = []
        self.missing: list[ConfigProblem] = []

    def add(self, at: Place, message: str, hint: str | None = None) -> None:
        """Note a problem, unless there are so many that nobody reads them."""
        if self.full:
            return
        shown = message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
        self.problems.append(ConfigProblem(self.path, *at, shown, hint))
        if len(self.problems) == _ENOUGH:
            self.problems.append(ConfigProblem(self.path, *at, f"more than {_ENOUGH} problems", "only these are shown"))

    @property
    def full(self) -> bool:
        """Whether no more problems are noted."""
        return len(self.problems) >= _ENOUGH

    def wrong(self, subject: str, node: Node, wrong: Wrong) -> None:
        """Note what a reader said about a value."""
        self.add(wrong.at or node.at, f"{subject} {wrong.message}", wrong.hint)

    def lacks(self, at: Place, message: str, hint: str | None = None) -> None:
        """Note a variable that is not there."""
        self.missing.append(ConfigProblem(self.path, *at, message, hint))


def in_order(problems: Iterable[ConfigProblem]) -> tuple[ConfigProblem, ...]:
    """Each problem once, by file and position."""
    first = {(problem.path, problem.line, problem.column, problem.message): problem for problem in problems}
    return tuple(first[key] for key in sorted(first))


def raise_problems(reports: Iterable[Report]) -> None:
    """Raise ConfigurationError if anything is wrong: SecretMissingError if only variables are missing."""
    found = list(reports)
    everything = in_order(problem for report in found for problem in (*report.problems, *report.missing))
    if any(report.problems for report in found):
        raise ConfigurationError(everything)
    if everything:
        raise SecretMissingError(everything)


def show_path(path: Path, base: Path) -> str:
    """The path as messages and ids show it: POSIX, relative to the base where it lies below it."""
    try:
        return path.absolute().relative_to(base.absolute()).as_posix()
    except ValueError:
        return path.as_posix()
