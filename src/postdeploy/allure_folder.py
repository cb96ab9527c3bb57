"""The folder that allure-pytest has written, completed from the verdict: results of checks that it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from postdeploy.documents import read_regular
from postdeploy.exporters import Evidence, Read, Sieve
from postdeploy.exporters.allure import complete

__all__ = ["complete_folder"]


def complete_folder(document: Mapping[str, Any], folder: Path, read: Read, sieve: Sieve | None = None) -> None:
    """Add what is missing; ``read`` gives evidence. Raises OSError, and whatever the sieve raises."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {path.name: read_regular(path) for path in sorted(folder.glob("*-result.json"))}
    about = ("environment.properties", "categories.json", "executor.json")
    written |= {name: b"" for name in about if (folder / name).exists()}
    files = complete(document, written)
    own = {name: content for name, content in files.items() if not isinstance(content, Evidence)}
    for name, content in (files | (own if sieve is None else sieve(own))).items():
        found = read(content.path) if isinstance(content, Evidence) else content
        if found is not None:
            _replace(folder / name, found)


def _replace(path: Path, content: bytes) -> None:
    """A name that is a link is itself replaced, and what it points at stays."""
    staged = path.with_name(f".{path.name}.part")
    staged.unlink(missing_ok=True)
    staged.write_bytes(content)
    staged.replace(path)
