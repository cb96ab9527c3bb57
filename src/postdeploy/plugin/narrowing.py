"""Noticing that less than the whole suite is going to run: a narrowed run may fail, but never pass."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import pytest

from postdeploy.config import is_suite
from postdeploy.plugin.keys import DEALING

__all__ = ["narrowed_by"]

_SELECTING: Final = frozenset(
    {"testpaths", "python_files", "python_classes", "python_functions", "norecursedirs", "collect_imported_tests"}
)
"""Settings of pytest that say what the whole suite is."""

_IGNORED: Final[pytest.StashKey[list[str]]] = pytest.StashKey()
"""On the config: files and folders with checks that a conftest or a plugin has left out."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Generator[None, bool | None, bool | None]:
    """Notice what is left out before anybody looks into it, by others than pytest's own options."""
    ignored = yield
    asked = config.option.ignore or config.option.ignore_glob
    if ignored and not asked and not _never_a_suite(collection_path, config) and _has_checks(collection_path, config):
        config.stash.setdefault(_IGNORED, []).append(_shown(collection_path, config))
    return ignored


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
    if missing and not (option.only and not named):
        yield ", ".join(named) if named else f"a conftest or a plugin ({missing} left out)"


def _not_collected(config: pytest.Config) -> Iterator[str]:
    option = config.option
    yield from _asked_for(config)
    for name in ("ignore", "ignore_glob", "setuponly", "setupplan"):
        if getattr(option, name, None):
            yield {"setuponly": "--setup-only", "setupplan": "--setup-plan"}.get(name, f"--{name.replace('_', '-')}")
    if getattr(option, "lf", False) and getattr(config.pluginmanager.get_plugin("lfplugin"), "lastfailed", None):
        yield "--lf"
    for setting in option.override_ini or ():
        if setting.partition("=")[0].strip() in _SELECTING:
            yield f"-o {setting}"
    yield from _by_another_file(config)
    for path in config.stash.get(_IGNORED, ()):
        yield f"a conftest or a plugin, which ignores {path}"
    if _names_a_part(config):
        whole = "'testpaths'" if config.getini("testpaths") else "the root folder, as 'testpaths' is not set,"
        yield f"the paths on the command line ({whole} is the whole suite)"


def _asked_for(config: pytest.Config) -> Iterator[str]:
    """A part that our own options name, and how it was dealt out."""
    option = config.option
    yield from (f"--only {text}" for text in option.only)
    if option.shard:
        from postdeploy.domain.shard import Shard

        yield Shard.parse(option.shard).narrowing
    if DEALING in config.stash:
        yield config.stash[DEALING].narrowing


def _by_another_file(config: pytest.Config) -> Iterator[str]:
    """Whether ``-c`` names a file that says otherwise what the whole suite is than the project's own does."""
    if not config.option.inifilename:
        return
    from _pytest.config.findpaths import locate_config

    _, own, settings, *_ = locate_config(config.invocation_params.dir, [config.invocation_params.dir])
    if own is None or own == config.inipath:
        return
    for name in sorted(_SELECTING):
        if _words(settings.get(name)) != _words(config.inicfg.get(name)):
            yield f"-c {config.option.inifilename}, whose {name} is not that of {own.name}"


def _words(setting: object) -> list[str]:
    """A setting of a file, written as one string or as a list; nothing where it is not set."""
    value: Any = getattr(setting, "value", setting) or ()
    return value.split() if isinstance(value, str) else [str(word) for word in value]


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


def _never_a_suite(path: Path, config: pytest.Config) -> bool:
    """What pytest itself passes by: caches, environments of Python, folders that are not to be entered."""
    if not path.is_dir():
        return False
    if path.name == "__pycache__" or any((path / name).exists() for name in ("pyvenv.cfg", "conda-meta")):
        return True
    return any(fnmatch(path.name, pattern) or fnmatch(str(path), pattern) for pattern in config.getini("norecursedirs"))


def _has_checks(path: Path, config: pytest.Config) -> bool:
    if path.is_dir():
        return any(_has_checks(each, config) for each in path.rglob("*") if each.is_file())
    if path.suffix in {".yaml", ".yml"}:
        return is_suite(path)
    return path.suffix == ".py" and any(path.match(pattern) for pattern in config.getini("python_files"))


def _shown(path: Path, config: pytest.Config) -> str:
    return str(path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path)
