"""Where benchmarks run: a temporary folder, a server in its own process, and the commands of both sides."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Command

__all__ = ["BROWSER", "DELAY", "ROOT", "Place", "open_place"]

DELAY: Final = 0.050
"""Seconds that the server takes to answer."""

ROOT: Final = Path(__file__).parents[1]
BROWSER: Final = next(
    (found for name in ("chromium-headless-shell", "chromium", "google-chrome") if (found := shutil.which(name))), None
)

_DISTORTING: Final = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
_OFF: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
_PATH: Final = {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
"""What is measured is the source beside these benchmarks, not what happens to be installed."""


@dataclass(frozen=True, slots=True)
class Place:
    """What every benchmark is given."""

    folder: Path
    port: int
    quick: bool
    progress: Callable[[str], None]

    def rounds(self, full: int) -> int:
        """How often to measure."""
        return min(full, 2) if self.quick else full

    def ask(self, path: str) -> Any:
        """The JSON answer of the server to a control request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def ours(self, name: str, folder: Path, *more: str, autoload: bool = True, rounds: int | None = None) -> Command:
        """This project's plugin, as users run it."""
        plugin = () if autoload else ("-p", "postdeploy.plugin.hooks")
        browser = (f"--browser-executable={BROWSER}",) if BROWSER else ()
        arguments = (*_PYTEST, *plugin, "--target=bench", *browser, *more)
        return Command(name, arguments, folder, _PATH if autoload else _PATH | _OFF, rounds)

    def noop(self, name: str, folder: Path, *, autoload: bool = True) -> Command:
        """The same items with nothing in them."""
        arguments = (*_PYTEST, "-p", "benchmarks.noop_plugin")
        return Command(name, arguments, folder, _PATH if autoload else _PATH | _OFF)

    def pytest(self, name: str, folder: Path, *more: str, autoload: bool = True, rounds: int | None = None) -> Command:
        """Plain pytest."""
        return Command(name, (*_PYTEST, *more), folder, _PATH if autoload else _PATH | _OFF, rounds)

    def script(self, name: str, script: str, *arguments: object) -> Command:
        """A script of this package."""
        words = (sys.executable, str(ROOT / "benchmarks" / script), *map(str, arguments))
        return Command(name, words, self.folder, _PATH)


_PYTEST: Final = (sys.executable, "-m", "pytest")


@contextmanager
def open_place(*, quick: bool) -> Iterator[Place]:
    """A folder and a server that last as long as the context; bytecode is kept, as it is of an installed package."""
    with tempfile.TemporaryDirectory(prefix="postdeploy-bench-") as folder:
        os.environ |= dict.fromkeys(_DISTORTING, "") | {"PYTHONPYCACHEPREFIX": str(Path(folder, "bytecode"))}
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", str(DELAY)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            try:
                yield Place(Path(folder), port, quick, lambda text: print(text, file=sys.stderr, flush=True))
            finally:
                server.kill()
