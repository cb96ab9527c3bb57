"""A scripted server, projects that verify it, and pytest in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent, indent
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import yaml  # noqa: F401  # pytester forgets what a test was the first to import, and libyaml cannot be imported twice

from tests.warm_python import WarmPython, warm_python

ROOT = Path(__file__).parents[2]
TOKEN = "peer-token-5f3a9c"
NEEDED = ("postdeploy.plugin.hooks", "pytest_timeout", "pytest_rerunfailures", "xdist.plugin")


class Peer:
    """A server whose answers a test decides; it remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[str, str]] = []
        self.traces: list[tuple[str, str]] = []
        self.flights = [0, 0]
        self.release = ""
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Forget what was asked."""
        self.seen, self.traces, self._asked, self.flights, self.release = [], [], {}, [0, 0], ""

    def asked(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(1 for _, seen in self.seen if seen == path)

    def answer(self, method: str, path: str) -> tuple[int, bytes]:
        """What the path says: its first part is the script."""
        with self._lock:
            self.seen.append((method, path))
            number = self._asked[path] = self._asked.get(path, 0) + 1
        script, *rest = path.strip("/").split("/")
        if script == "slow":
            with self._lock:
                self.flights[0] += 1
                self.flights[1] = max(self.flights)
            time.sleep(float(rest[0]))
            with self._lock:
                self.flights[0] -= 1
        if script == "bad" or (script == "flaky" and number == 1):
            return 503, b'{"ok": false}'
        if self.release and rest == ["build"]:
            return 200, json.dumps({"release": self.release}).encode()
        if script == "surrogate":
            return 200, rb'{"ok": "\ud800"}'
        if script == "escape":
            return 200, rb'{"ok": "\u001b]0;title\u0007\u001b[2J"}'
        return 200, b'{"ok": true}'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.rfile.read(length)
        peer: Peer = self.server.peer  # type: ignore[attr-defined]
        peer.traces.append((urlsplit(self.path).path, self.headers.get("traceparent", "")))
        status, body = peer.answer(self.command, urlsplit(self.path).path)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  # the base class names it so

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that end early are part of the tests."""


@pytest.fixture(scope="session")
def one_peer() -> Iterator[Peer]:
    """The server of this process."""
    peer = Peer()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.peer = peer  # type: ignore[attr-defined]
    peer.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield peer
    server.shutdown()


@pytest.fixture
def peer(one_peer: Peer) -> Peer:
    """The server, as new."""
    one_peer.reset()
    return one_peer


class Outcome:
    """What one run of pytest came to."""

    def __init__(self, result: pytest.RunResult, reports: Path) -> None:
        self.status = int(result.ret)
        self.result = result
        self.out = result.stdout.str()
        self.err = result.stderr.str()
        self.reports = reports

    @property
    def verdict(self) -> dict[str, Any]:
        """The verdict document."""
        document: dict[str, Any] = json.loads((self.reports / "verdict.json").read_text())
        return document

    @property
    def reason(self) -> str:
        """Why the verdict is as it is."""
        return str(self.verdict["reason"])

    def outcomes(self) -> dict[str, str]:
        """The outcome of each check by its name."""
        return {check["name"]: check["outcome"] for check in self.verdict["checks"]}

    def check(self, name: str) -> dict[str, Any]:
        """One check of the verdict."""
        return next(check for check in self.verdict["checks"] if check["name"] == name)

    def require(self, status: int, reason: str) -> None:
        """The run ended with this status and a sealed verdict with this reason."""
        assert (self.status, self.reason, self.verdict["state"]) == (status, reason, "sealed"), self.out + self.err


class Project:
    """A folder with targets.yaml and suites, verified by pytest in a process of its own."""

    def __init__(self, pytester: pytest.Pytester, url: str, workers: str) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.reports = pytester.path / "reports"
        self.url = url
        self.workers = workers
        self.peer: Peer | None = None
        pytester.makepyprojecttoml('[tool.pytest]\ntestpaths = ["suites"]\nstrict = true\n')
        (pytester.path / "suites").mkdir()
        self.target()

    def target(self, more: str = "", *, services: str = "", policy: str = "deadline: 30s") -> None:
        """Write targets.yaml: target ``local``, and others that nobody can reach."""
        text = dedent(f"""\
            targets:
              local:
                services: {{api: {self.url}{services}}}
                access: read-write
                policy: {{confirm: {{attempts: 2, spacing: 50ms}}, {policy}}}
            """)
        others = "  elsewhere:\n    services: {api: http://127.0.0.1:9}\n"
        (self.path / "targets.yaml").write_text(text + indent(dedent(more), "    ") + others)

    def suite(self, text: str, name: str = "checks.yaml") -> Path:
        """Write a declared suite; ``text`` is the list of checks."""
        path = self.path / "suites" / name
        path.write_text("checks:\n" + indent(dedent(text).strip(), "  ") + "\n")
        return path

    def tests(self, text: str, name: str = "test_it.py") -> Path:
        """Write Python tests."""
        path = self.path / "suites" / name
        path.write_text("import pytest\n" + dedent(text))
        return path

    def conftest(self, text: str) -> None:
        """Write the conftest of the project."""
        (self.path / "conftest.py").write_text("import pytest\n" + dedent(text))

    @property
    def environment(self) -> dict[str, str]:
        """That of a run which loads the plugins that it names, and no others."""
        return {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def command(self, *arguments: str, target: str | None = "local", fast: bool = True) -> list[str]:
        """The arguments of pytest."""
        chosen = [f"--target={target}"] if target else []
        named = [word for name in NEEDED for word in ("-p", name)] if fast else []
        return [*named, *(("-n2",) if self.workers == "2" else ()), *chosen, *arguments]

    def run(self, *arguments: str, target: str | None = "local", fast: bool = True, timeout: float = 60) -> Outcome:
        """Run pytest to its end; with the plugins that it needs, or with all that are installed."""
        command = self.command(*arguments, target=target, fast=fast)
        if fast and WarmPython.fits(self.environment):
            ended = warm_python().run(("-m", "pytest", *command), cwd=self.path, env=self.environment, timeout=timeout)
            result = pytest.RunResult(ended.status, ended.out.splitlines(), ended.err.splitlines(), 0.0)
            return Outcome(result, self.reports)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items() if fast else ():
                patch.setenv(name, value)
            return Outcome(self.pytester.runpytest_subprocess(*command, timeout=timeout), self.reports)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start pytest, for a test that does something to it."""
        command = [sys.executable, "-m", "pytest", *self.command(*arguments)]
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture
def project(pytester: pytest.Pytester, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without workers."""
    return _project(pytester, peer, monkeypatch, "0")


@pytest.fixture(params=["0", "2"], ids=["n0", "n2"])
def both(
    request: pytest.FixtureRequest, pytester: pytest.Pytester, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A project that is verified without workers, and with two."""
    return _project(pytester, peer, monkeypatch, request.param)


def _project(pytester: pytest.Pytester, peer: Peer, monkeypatch: pytest.MonkeyPatch, workers: str) -> Project:
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    project = Project(pytester, peer.url, workers)
    project.peer = peer
    return project


class Demo:
    """One running ``python -m demo``."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "demo", "--port", "0", "--quiet", "--release", "4f9d2c1"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    def control(self, path: str, **wish: Any) -> Any:
        """Change the running demo."""
        answer = httpx2.post(f"{self.url}/_demo{path}", json=wish, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def suffer(self, *faults: str) -> None:
        """Have exactly these faults."""
        self.control("/faults", clear=True, add=list(faults))

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture(scope="session")
def one_demo() -> Iterator[Demo]:
    """The demo of this process."""
    demo = Demo()
    yield demo
    demo.stop()


@pytest.fixture
def demo(one_demo: Demo) -> Demo:
    """The demo, as new."""
    one_demo.control("/release", commit="4f9d2c1")
    one_demo.control("/reset")
    return one_demo


@pytest.fixture
def demo_project(both: Project, demo: Demo) -> Project:
    """A project that verifies the demo, with and without workers."""
    _aim(both, demo)
    return both


@pytest.fixture
def page_project(project: Project, demo: Demo) -> Project:
    """A project that verifies the demo without workers."""
    _aim(project, demo)
    return project


def _aim(project: Project, demo: Demo) -> None:
    release = (
        "{from: 'web:/build-info.json', json: $.commit, header: x-release, within: 1s, consecutive: 2, interval: 50ms}"
    )
    project.url = f"{demo.url}/api/v1"
    project.target(f"release: {release}\n", services=f", web: {demo.url}")


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], None]:
    """Wait until something is true."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.02)

    return wait
