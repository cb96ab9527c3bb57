"""pytest with just the plugins of a verification: ``python -m postdeploy.plugin.child PYTEST-ARGUMENTS``.

Plugins that are handed over need not be looked for among all installed distributions, as ``-p`` does for each.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest
import pytest_timeout

from postdeploy.plugin import activation, hooks

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Run pytest; returns its exit status."""
    assert activation  # noqa: S101  # imported here, before pytest watches every import for asserts to rewrite
    plugins = [hooks, pytest_timeout, _without_xdist("pytest_rerunfailures")]
    gc.freeze()  # the launcher has imported all this without looking for garbage, and there is none
    gc.enable()
    return int(pytest.main(list(arguments), plugins=plugins))


def _without_xdist(name: str) -> Any:
    """A plugin, which would import xdist and execnet for workers; this process has none (see ``pytest_command``)."""
    modules: dict[str, Any] = sys.modules
    if "xdist" in modules:
        return import_module(name)
    modules["xdist"] = None
    try:
        return import_module(name)
    finally:
        del modules["xdist"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
