"""A tiny web site and a project that verifies it, for tests that launch the real thing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["PASSING", "Project", "serve"]

PASSING = """
checks:
  - name: home — 집
    get: web:/
    expect: {status: 200}
"""

_TARGETS = """
targets:
  site:
    services: {web: "URL"}
    release: {from: "web:/build", within: 2s, consecutive: 1, interval: 20ms}
    access: read-write
    programs: [python]
    policy: {deadline: 20s, confirm: {attempts: 2, spacing: 100ms}}
"""


class _Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer: /build names release r1, what is below /missing is not there."""
        body = b"r1"
        self.send_response(404 if self.path.startswith("/missing") else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serve() -> Iterator[str]:
    """The site, on a port of its own; gives its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Project:
    """A folder with targets.yaml and a suite; ``files`` are more of them, by path."""

    def __init__(self, folder: Path, url: str, suite: str = PASSING, **files: str) -> None:
        self.folder = folder
        self.verdict = folder / "reports" / "verdict.json"
        self.write("pytest.toml", '[pytest]\ntestpaths = ["suites"]\n')
        self.write("targets.yaml", _TARGETS.replace("URL", url))
        self.write("suites/site.yaml", suite)
        for name, text in files.items():
            self.write(f"{name}.py", text)

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Launch ``postdeploy`` and do not wait."""
        known = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        return subprocess.Popen(
            [sys.executable, "-m", "postdeploy", *arguments],
            cwd=self.folder,
            env=known | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Launch ``postdeploy``; returns its exit status and what it said."""
        process = self.start(*arguments, **environment)
        said, _ = process.communicate(timeout=40)
        return process.returncode, said

    def document(self) -> dict[str, Any]:
        """What the verdict file says."""
        said: dict[str, Any] = json.loads(self.verdict.read_text())
        return said
