"""Noticing that less than the whole suite is going to run: a narrowed run may fail, but never pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["narrowed_by"]


def narrowed_by(session: pytest.Session, missing: int) -> tuple[str, ...]:
    """What narrowed the suite, in words that people typed; ``missing`` items were collected and will not run."""
    return tuple(dict.fromkeys((*_left_out(session.config, missing), *_not_collected(session.config))))


def _left_out(config: pytest.Config, missing: int) -> Iterator[str]:
    option = config.option
    asked = {
        "-k": option.keyword,
        "-m": option.markexpr,
        "--deselect": option.deselect,
        "--lf": getattr(option, "lf", False),
        "--sw": getattr(option, "stepwise", False),
    }
    named = [name for name, value in asked.items() if value]
    if missing:
        yield ", ".join(named) if named else f"a conftest or a plugin ({missing} left out)"


def _not_collected(config: pytest.Config) -> Iterator[str]:
    option = config.option
    for name in ("ignore", "ignore_glob", "setuponly", "setupplan"):
        if getattr(option, name, None):
            yield {"setuponly": "--setup-only", "setupplan": "--setup-plan"}.get(name, f"--{name.replace('_', '-')}")
    if getattr(option, "lf", False) and getattr(config.pluginmanager.get_plugin("lfplugin"), "lastfailed", None):
        yield "--lf"
    if _names_a_part(config):
        whole = "'testpaths'" if config.getini("testpaths") else "the root folder, as 'testpaths' is not set,"
        yield f"the paths on the command line ({whole} is the whole suite)"


def _names_a_part(config: pytest.Config) -> bool:
    """Whether what is collected is less than all of ``testpaths``, or of the root folder where these are not set."""
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        return False
    if any("::" in argument for argument in config.args):
        return True
    given = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
    return not all(any(path.is_relative_to(each) for each in given) for path in _whole(config))


def _whole(config: pytest.Config) -> Iterator[Path]:
    named = config.getini("testpaths")
    for pattern in named:
        for path in config.rootpath.glob(pattern):
            yield path.resolve()
    if not named:
        yield config.rootpath.resolve()
