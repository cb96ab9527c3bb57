"""Declared suites as pytest sees them: a file that collects, and items that wait for what the engine finds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Never

import pytest

from postdeploy.config import is_suite, load_suite
from postdeploy.domain.check import Check, Kind
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.errors import ConfigProblem, ConfigurationError
from postdeploy.plugin.keys import EXECUTION, RESULT, SUITES

__all__ = ["CheckErroredError", "CheckFailedError", "CheckItem", "SuiteFile", "Suites", "skip_as"]


class CheckFailedError(AssertionError):
    """A declared check failed: the target is wrong."""


class CheckErroredError(Exception):
    """A declared check errored: we could not tell."""


class Suites:
    """What was collected from declared suites: names of targets that may be named, and which ids are taken."""

    def __init__(self, targets: tuple[str, ...]) -> None:
        self.targets = targets
        self._first: dict[str, Check] = {}

    def take(self, check: Check) -> ConfigProblem | None:
        """Note a check; returns a problem if another file has taken its id."""
        first = self._first.setdefault(check.id, check)
        if (first.path, first.line) == (check.path, check.line):
            return None
        hint = f"first at {first.path}:{first.line}:{first.column}; give one of them another 'id'"
        return ConfigProblem(check.path, check.line, check.column, f"duplicate check '{check.id}'", hint)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """Take YAML files that hold checks."""
    if file_path.suffix in {".yaml", ".yml"} and is_suite(file_path):
        suite: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
        return suite
    return None


class SuiteFile(pytest.File):
    """A declared suite."""

    def collect(self) -> Iterator[CheckItem]:
        """One item a check. Raises ConfigurationError."""
        suites = self.config.stash[SUITES]
        target = self.config.stash[EXECUTION].target
        checks = load_suite(self.path, self.config.rootpath, target, targets=suites.targets)
        taken = [problem for check in checks if (problem := suites.take(check))]
        if taken:
            raise ConfigurationError(taken)
        if any(check.kind is Kind.UI for check in checks):
            self.config.stash[EXECUTION].expect_pages()
        for check in checks:
            yield CheckItem.from_parent(self, name=check.name, check=check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002  # pytest passes it
        """A configuration error is its own message."""
        if isinstance(excinfo.value, ConfigurationError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class CheckItem(pytest.Item):
    """A declared check; the engine runs it, this waits for its result."""

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check
        for name in dict.fromkeys((check.kind.value, check.severity.value, *check.tags)):
            self.add_marker(_marker(name, self.config))

    def runtest(self) -> None:
        """Wait for the result and speak pytest's language."""
        result = self.config.stash[EXECUTION].result(self.check.id)
        self.stash[RESULT] = result
        if result.outcome is Outcome.FAILED:
            raise CheckFailedError(_first_line(result))
        if result.outcome is Outcome.ERRORED:
            raise CheckErroredError(_first_line(result))
        if result.outcome is not Outcome.PASSED:
            skip_as(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002  # pytest passes it
        """One line: the summary at the end says the rest."""
        if isinstance(excinfo.value, CheckFailedError | CheckErroredError):
            return f"{self.check.path}:{self.check.line}: {excinfo.value}"
        return super().repr_failure(excinfo)

    @cached_property
    def location(self) -> tuple[str, int | None, str]:
        """File, line and name as reports have them; the file, which pytest looks for on the disk, is that of all."""
        suite = self.parent
        assert suite is not None  # noqa: S101  # every item has one
        file = suite.stash.get(_FILE, None)
        if file is None:
            file = suite.stash[_FILE] = super().location[0]
        return file, self.check.line - 1, self.name

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line (0-based) and name."""
        return self.path, self.check.line - 1, self.name


def skip_as(result: CheckResult) -> Never:
    """What pytest is told of a check that neither passed nor failed. Raises pytest's own exception."""
    pytest.skip(f"{result.outcome.value.replace('_', ' ')}: {result.reason}")


def _first_line(result: CheckResult) -> str:
    last = result.last
    if last is not None and last.findings:
        return str(last.findings[0])
    return result.reason or "no reason was given"


def _marker(name: str, config: pytest.Config) -> pytest.MarkDecorator:
    known = config.stash.setdefault(_MARKERS, {})
    if name not in known:
        config.addinivalue_line("markers", f"{name}: a tag, kind or severity of checks")
        known[name] = getattr(pytest.mark, name)
    return known[name]


_FILE: pytest.StashKey[str] = pytest.StashKey()
"""On a suite: its path as reports have it."""

_MARKERS: pytest.StashKey[dict[str, pytest.MarkDecorator]] = pytest.StashKey()
