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

from benchmarks.environment import HERE, ROOT, Environment, installed
from benchmarks.measure import Command

__all__ = ["BROWSER", "DELAY", "ROOT", "Place", "open_place"]

DELAY: Final = 0.050
"""Seconds that the server takes to answer."""

BROWSER: Final = next(
    (found for name in ("chromium-headless-shell", "chromium", "google-chrome") if (found := shutil.which(name))), None
)

_DISTORTING: Final = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
_OFF: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@dataclass(frozen=True, slots=True)
class Place:
    """What every benchmark is given."""

    folder: Path
    port: int
    quick: bool
    progress: Callable[[str], None]
    environment: Environment = HERE

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

    def ours(self, name: str, folder: Path, *more: str, autoload: bool = True, **how: Any) -> Command:
        """This project's plugin, as users run it; ``how`` is as for ``pytest``."""
        plugin = () if autoload else ("-p", "postdeploy.plugin.hooks")
        browser = (f"--browser-executable={BROWSER}",) if BROWSER else ()
        words = (*plugin, "--target=bench", *browser, *more)
        return self.pytest(name, folder, *words, autoload=autoload, **how)

    def noop(self, name: str, folder: Path, *, autoload: bool = True) -> Command:
        """The same items with nothing in them."""
        return self.pytest(name, folder, "-p", "benchmarks.noop_plugin", autoload=autoload)

    def pytest(
        self,
        name: str,
        folder: Path,
        *more: str,
        autoload: bool = True,
        rounds: int | None = None,
        peers: bool = False,
    ) -> Command:
        """Plain pytest; with ``peers`` what pages are compared with is loaded, too."""
        variables = self.environment.variables(peers=peers) | ({} if autoload else _OFF)
        return Command(name, (self.environment.python, "-m", "pytest", *more), folder, variables, rounds)

    def program(self, name: str, folder: Path, *words: str) -> Command:
        """The command ``postdeploy``."""
        return Command(name, (self.environment.program("postdeploy"), *words), folder, self.environment.variables())

    def script(self, name: str, script: str, *arguments: object) -> Command:
        """A script of this package."""
        words = (self.environment.python, str(ROOT / "benchmarks" / script), *map(str, arguments))
        return Command(name, words, self.folder, self.environment.variables())


@contextmanager
def open_place(*, quick: bool, here: bool) -> Iterator[Place]:
    """A folder and a server that last as long as the context; what is measured is what a user has, or what is here.

    Bytecode is kept: pip makes that of an installed package, and what is here has a folder for it.
    """
    with tempfile.TemporaryDirectory(prefix="postdeploy-bench-") as folder:
        os.environ |= dict.fromkeys(_DISTORTING, "")
        environment = HERE if here else installed(_say)
        if here:
            os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder, "bytecode"))
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", str(DELAY)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            try:
                yield Place(Path(folder), port, quick, _say, environment)
            finally:
                server.kill()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
