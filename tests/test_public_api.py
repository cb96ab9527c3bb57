from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
from pathlib import Path

import pytest

import postdeploy

RUNS_WHEN_IMPORTED = {"postdeploy.__main__", "postdeploy.cli.__main__"}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(postdeploy.__path__, "postdeploy.")
    if module.name not in RUNS_WHEN_IMPORTED
)


def defined(module: str) -> set[str]:
    """The public classes and functions that a module's source defines, hooks of pytest aside."""
    source = importlib.util.find_spec(module)
    assert source is not None
    assert source.origin is not None
    text = Path(source.origin).read_text(encoding="utf-8")
    kinds = (ast.ClassDef, ast.FunctionDef)
    names = {node.name for node in ast.parse(text).body if isinstance(node, kinds)}
    return {name for name in names if not name.startswith(("_", "pytest_"))}


@pytest.mark.parametrize("name", MODULES)
def test_all_is_true(name: str) -> None:
    """Everything that a module promises is there, once and in order."""
    module = importlib.import_module(name)
    promised = getattr(module, "__all__", [])
    assert len(set(promised)) == len(promised)
    assert not [word for word in promised if not hasattr(module, word)]
    assert all(not word.startswith("_") or word == "__version__" for word in promised)


@pytest.mark.parametrize(
    "name", [name for name in MODULES if name.startswith(("postdeploy.domain.", "postdeploy.cli."))]
)
def test_all_is_complete(name: str) -> None:
    """What looks public in the domain and the command line is promised."""
    assert defined(name) <= set(importlib.import_module(name).__all__)


@pytest.mark.parametrize("name", ["postdeploy.journal", "postdeploy.documents", "postdeploy.gate", "postdeploy.errors"])
def test_single_modules_are_complete(name: str) -> None:
    """What looks public in the modules that stand alone is promised."""
    assert defined(name) <= set(importlib.import_module(name).__all__)
