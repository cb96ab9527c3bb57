"""The house rules of DESIGN.md §4, kept by a machine."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "postdeploy"
MODULES = sorted(SOURCE.rglob("*.py"))
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def name(path: Path) -> str:
    """A module as people call it."""
    return str(path.relative_to(SOURCE))


def test_layers(tmp_path: Path) -> None:
    """Layers import only what lies below them: the contracts of pyproject.toml hold."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_module(path: Path) -> None:
    """A module has a name that says something, a docstring, and one reason to exist."""
    text = path.read_text(encoding="utf-8")
    assert not {path.stem, *path.relative_to(SOURCE).parts} & SAYS_NOTHING
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 300


def test_entry_point_is_small() -> None:
    """Whoever has the plugin installed and does not use it pays for a small module only."""
    assert len((SOURCE / "plugin" / "hooks.py").read_text(encoding="utf-8").splitlines()) <= 150


def test_bare_import() -> None:
    """``import postdeploy`` imports no third party."""
    script = "import sys; before = set(sys.modules); import postdeploy; print(*sorted(set(sys.modules) - before))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    roots = {module.partition(".")[0] for module in said.split()}
    assert not roots - sys.stdlib_module_names - {"postdeploy"}


@pytest.mark.parametrize("path", sorted((SOURCE / "domain").glob("*.py")), ids=name)
def test_domain_is_pure(path: Path) -> None:
    """The domain asks neither the clock nor the environment, the disk, the network or chance."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {module.partition(".")[0] for module in imported} & {
        "os", "time", "random", "secrets", "socket", "subprocess", "pathlib", "io", "threading", "asyncio", "uuid",
    }  # fmt: skip
    assert not {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & {"open", "print", "input"}
