"""The files that a suite is made of, by digest: where items came from, conftests, pytest's configuration."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["foreign_plugins", "suite_files"]


def suite_files(config: pytest.Config, items: Iterable[pytest.Item]) -> dict[str, str]:
    """SHA-256 by path (relative to the root folder, with ``/``) of every file that shaped the suite."""
    paths = {os.fspath(item.path) for item in items}
    paths.update(file for name, file in _plugins(config) if name.endswith("conftest.py"))
    if config.inipath is not None:
        paths.add(os.fspath(config.inipath))
    root = os.fspath(config.rootpath)
    return {os.path.relpath(path, root).replace(os.sep, "/"): digest_of(path) for path in sorted(paths)}


def foreign_plugins(config: pytest.Config) -> dict[str, str]:
    """The digest of the module of every plugin that is neither pytest's, ours, a conftest nor of a known version."""
    known = {id(plugin) for plugin, _ in config.pluginmanager.list_plugin_distinfo()}
    manager = config.pluginmanager
    return {
        name: digest_of(file)
        for name, file in _plugins(config)
        if not name.endswith("conftest.py") and id(manager.get_plugin(name)) not in known
    }


def digest_of(path: str) -> str:
    """SHA-256 of a file; ``unreadable`` where there is none to read."""
    try:
        return "sha256:" + hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return "unreadable"


def _plugins(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Name and file of every plugin that is a module, without those of pytest and of this package."""
    for name, plugin in config.pluginmanager.list_name_plugin():
        file: Any = getattr(plugin, "__file__", None)
        module: Any = getattr(plugin, "__name__", None)
        if isinstance(file, str) and isinstance(module, str) and not module.startswith(("_pytest.", "postdeploy.")):
            yield name, file
