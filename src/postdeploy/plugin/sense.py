"""Whether a run makes sense at all: whatever would make every test pass is refused before anything is sent."""

from __future__ import annotations

import itertools
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from typing import Final

import pytest

from postdeploy.errors import ConfigProblem, ConfigurationError

__all__ = ["require_sense"]

_WATCHERS: Final = {"threadexception": "threads", "unraisableexception": "finalisers"}
"""Plugins of pytest that see what breaks outside a test."""


_PATHS: Final = frozenset({"--targets", "--reports", "--baseline", "--browser-executable", "--history", "--shard-by"})


def require_sense(config: pytest.Config) -> None:
    """Raises ConfigurationError with everything that makes no sense."""
    problems = [ConfigProblem(where, 0, 0, what) for where, what in _problems(config)]
    if problems:
        raise ConfigurationError(problems)


def _problems(config: pytest.Config) -> Iterator[tuple[str, str]]:
    if sys.flags.optimize:
        yield "python -O", "it and PYTHONOPTIMIZE remove asserts, so tests would verify nothing"
    if config.getoption("dist", None) == "each":
        yield "--dist=each", "it runs every check once in each worker; choose another mode"
    for name, what in _WATCHERS.items():
        if not config.pluginmanager.hasplugin(name):
            yield f"-p no:{name}", f"nobody would see what breaks in {what} that tests start"
    if not hasattr(config, "workerinput"):
        yield from _targets(config.invocation_params.args)
        yield from _misled(config)


def _misled(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Where pytest looks for the root folder before it knows our options, a path that is there was taken for tests."""
    if config.inipath or config.option.rootdir or config.rootpath == config.invocation_params.dir:
        return
    words = [str(word) for word in config.invocation_params.args]
    for option, value in itertools.pairwise(words):
        if option in _PATHS and (config.invocation_params.dir / value).exists():
            hint = f"write {option}={value} in one word, or say --rootdir"
            yield (
                f"{option} {value}",
                f"pytest took it for tests, and so {config.rootpath} for the root folder ({hint})",
            )


def _targets(arguments: Iterable[object]) -> Iterator[tuple[str, str]]:
    named = [argument for argument in map(str, arguments) if _names_target(argument)]
    if len(named) > 1:
        yield " ".join(named), "the target is named twice"
    if any(map(_names_target, shlex.split(os.environ.get("PYTEST_ADDOPTS", "")))):
        yield "PYTEST_ADDOPTS", "the environment names the target; name it on the command line"


def _names_target(argument: str) -> bool:
    return argument == "--target" or argument.startswith("--target=")
