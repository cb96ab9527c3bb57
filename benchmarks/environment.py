"""What is measured: by default a virtual environment as a user makes it, with this source installed as a wheel.

It is kept in ``.venv-installed`` and made again when ``pyproject.toml`` changes; the wheel follows the source.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["HERE", "PAGE_PEER", "ROOT", "Environment", "installed"]

ROOT: Final = Path(__file__).parents[1]
PAGE_PEER: Final = "pytest-playwright"

_FOLDER: Final = ROOT / ".venv-installed"
_PEERS: Final = _FOLDER / "page-peer"
_EXTRA: Final = ".[all]"

_DESCRIBE: Final = """\
import json
from importlib.metadata import distributions
found = list(distributions())
print(json.dumps({
    "versions": {each.name: each.version for each in found},
    "plugins": sorted({each.name for each in found for point in each.entry_points if point.group == "pytest11"}),
}))
"""


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with what is installed beside it; ``peers`` are on the path only where pages are compared."""

    python: str
    path: tuple[Path, ...]
    peers: tuple[Path, ...] = ()
    own: bool = False

    def variables(self, *, peers: bool = False) -> dict[str, str]:
        """What its processes are started with."""
        return {"PYTHONPATH": os.pathsep.join(map(str, (*self.path, *(self.peers if peers else ()))))}

    def program(self, name: str) -> str:
        """A console script."""
        return str(Path(self.python).with_name(name))

    def versions(self) -> Mapping[str, str]:
        """What is installed, with that of the peers."""
        found: dict[str, str] = self._described(peers=True)["versions"]
        return found

    def plugins(self, *, peers: bool = False) -> list[str]:
        """Distributions with plugins that pytest loads by itself, and their versions."""
        found = self._described(peers=peers)
        return [f"{name} {found['versions'][name]}" for name in found["plugins"]]

    def _described(self, *, peers: bool) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            subprocess.run(
                [self.python, "-c", _DESCRIBE], env={**os.environ, **self.variables(peers=peers)},
                cwd=_FOLDER.parent, check=True, capture_output=True, text=True,
            ).stdout
        )  # fmt: skip
        return found


HERE: Final = Environment(sys.executable, (ROOT / "src", ROOT))
"""The source beside these benchmarks, with whatever is installed here."""


def installed(progress: Callable[[str], None]) -> Environment:
    """Make it, or bring it up to date; packages come from where pip gets them."""
    found = Environment(str(_FOLDER / "bin" / "python"), (ROOT,), (_PEERS,), own=True)
    wanted = _digest([ROOT / "pyproject.toml"]) + f" {sys.version}"
    if not _is_marked("dependencies", wanted):
        progress(f"(making {_FOLDER.name}: pip install '{_EXTRA}')")
        _run(sys.executable, "-m", "venv", "--clear", str(_FOLDER))
        _pip(found, "install", _EXTRA)
        _pip(found, "install", "--target", str(_PEERS), "--no-deps", PAGE_PEER, *_missing(found))
        _mark("dependencies", wanted)
    source = _digest([ROOT / "pyproject.toml", *sorted((ROOT / "src").rglob("*.*"))])
    if not _is_marked("source", source):
        _pip(found, "install", "--no-deps", "--force-reinstall", ".")
        _mark("source", source)
    return found


def _missing(environment: Environment) -> list[str]:
    """What the peer needs beyond what is installed already."""
    report = _pip(environment, "install", "--dry-run", "--ignore-installed", "--report", "-", PAGE_PEER)
    wanted = [item["metadata"]["name"] for item in json.loads(report)["install"]]
    have = {name.lower().replace("_", "-") for name in environment.versions()}
    return [name for name in wanted if name != PAGE_PEER and name.lower().replace("_", "-") not in have]


def _pip(environment: Environment, command: str, *words: str) -> str:
    return _run(environment.python, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *words)


def _run(*words: str) -> str:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        if file.is_file() and file.suffix != ".pyc":
            digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _is_marked(name: str, value: str) -> bool:
    mark = _FOLDER / f".{name}"
    return mark.is_file() and mark.read_text("utf-8") == value


def _mark(name: str, value: str) -> None:
    (_FOLDER / f".{name}").write_text(value, "utf-8")
