"""What of a project a run needs elsewhere: its targets, its suite, pytest's settings; nothing from outside."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from postdeploy.documents import why
from postdeploy.errors import VantageError

__all__ = ["project_files"]

_SETTINGS: Final = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
_BESIDE: Final = ("conftest.py", "postdeploy.lock")
_NEVER: Final = frozenset({"__pycache__", "node_modules"})


def project_files(root: Path, targets: Path, more: Sequence[str], most: int) -> dict[str, bytes]:
    """Contents by path below the root: the targets file, the folders of ``testpaths``, settings, and ``more``.

    Hidden files are left out, save settings of pytest.

    Raises:
        VantageError: it is not known what the suite is, a file lies outside, cannot be read, or all are too large.
    """
    paths = [targets, *(root / name for name in (*_SETTINGS, *_BESIDE) if (root / name).is_file())]
    for name in (*_testpaths(root), *more):
        paths += sorted(_below(root, name))
    files: dict[str, bytes] = {}
    for path in paths:
        if not path.resolve().is_relative_to(root.resolve()):
            raise VantageError(f"{path} lies outside of the project, and only files inside of it are sent")
        try:
            files[path.resolve().relative_to(root.resolve()).as_posix()] = path.read_bytes()
        except OSError as error:
            raise VantageError(f"{path}: {why(error)}") from error
    size = sum(map(len, files.values()))
    if size > most:
        raise VantageError(f"the project has {size} bytes to send, at most {most} are sent; see --there")
    return files


def _below(root: Path, name: str) -> Iterator[Path]:
    found = list(root.glob(name)) if not Path(name).is_absolute() else []
    if not found:
        raise VantageError(f"there is no {name!r} in {root}")
    for place in found:
        for path in place.rglob("*") if place.is_dir() else (place,):
            inside = path.relative_to(root).parts
            if path.is_file() and not any(part.startswith(".") or part in _NEVER for part in inside):
                yield path


def _testpaths(root: Path) -> list[str]:
    """What pytest takes for the whole suite, of the first file that says it."""
    for name in _SETTINGS:
        path = root / name
        try:
            found = (_of_toml(path) if path.suffix == ".toml" else _of_ini(path)) if path.is_file() else None
        except (OSError, ValueError, configparser.Error) as error:
            raise VantageError(f"{path}: {error}") from error
        if found:
            return found.split() if isinstance(found, str) else [str(each) for each in found]
    raise VantageError("nothing says what the suite is: set 'testpaths' of pytest, or use --there")


def _of_toml(path: Path) -> Any:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    pytest = document.get("pytest", document.get("tool", {}).get("pytest", {}))
    return pytest.get("testpaths") or pytest.get("ini_options", {}).get("testpaths")


def _of_ini(path: Path) -> str | None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(path.read_text(encoding="utf-8"))
    section = "tool:pytest" if path.name == "setup.cfg" else "pytest"
    return parser.get(section, "testpaths", fallback=None)
