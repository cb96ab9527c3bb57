from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from postdeploy.domain.target import Location, Server, Service, Target
from postdeploy.engine.server import ServerProcess
from postdeploy.errors import ServerStartError
from tests.web_server import WebServer, respond

Start = Callable[..., ServerProcess]

_SERVE = """
import http.server, sys
print("hello from the server", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the server of a target; it is ended after the test."""
    with ExitStack() as stack:

        def begin(command: tuple[str, ...], port: int, within: float = 5.0, **environment: str) -> ServerProcess:
            server = Server(command, Location("web", "/"), within, environment)
            target = Target("t", {"web": Service("web", f"http://127.0.0.1:{port}")}, server=server)
            process = ServerProcess(target, tmp_path, tmp_path / "reports")
            stack.callback(process.stop)
            process.start()
            return process

        yield begin


@pytest.fixture
def port() -> int:
    """Give a port that is free."""
    server = WebServer()
    server.close()
    return server.port


def refuses(port: int) -> bool:
    """Whether nobody listens any more, or soon does not."""
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            return True
        except OSError:  # it is just going
            continue
    return False


def test_it_is_ready_when_it_answers(start: Start, port: int, tmp_path: Path) -> None:
    """The command is started, waited for, logged, and ended."""
    process = start(("python", "-c", _SERVE, str(port)), port)
    assert process.wait().startswith("server: python -c")
    process.stop()
    with pytest.raises(ServerStartError):
        start((sys.executable, "-c", "raise SystemExit(3)"), port).wait()


def test_its_end_is_told_with_its_last_words(start: Start, port: int) -> None:
    """A server that ends before it is ready says why."""
    process = start(("python", "-c", "print('no database'); raise SystemExit(3)"), port)
    with pytest.raises(ServerStartError, match=r"ended with status 3 .*no database"):
        process.wait()


def test_it_has_so_long(start: Start, port: int) -> None:
    """A server that does not answer is not waited for longer than told."""
    process = start(("python", "-c", "import time; time.sleep(30)"), port, within=0.3)
    begun = time.monotonic()
    with pytest.raises(ServerStartError, match=r"not ready within 0\.3 s"):
        process.wait()
    assert time.monotonic() - begun < 2


def test_a_command_that_is_not_there(start: Start, port: int) -> None:
    """A command that cannot be started is told at once."""
    with pytest.raises(ServerStartError, match="could not be started"):
        start(("/nowhere/at/all",), port)


def test_a_server_that_answers_already_is_left_alone(start: Start) -> None:
    """A server that somebody else has started is used, and not ended."""
    server = WebServer()
    process = start(("/nowhere/at/all",), server.port)
    assert "answers already" in process.wait()
    process.stop()
    server.script("/", respond())
    assert server.paths() == ["/"]
    server.close()


def test_everything_that_it_started_ends_with_it(start: Start, port: int, tmp_path: Path) -> None:
    """Children of the server do not outlive it."""
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]]).wait()"
    process = start(("python", "-c", child, _SERVE, str(port)), port)
    process.wait()
    process.stop()
    assert refuses(port)


def test_its_environment_is_its_own(start: Start, port: int, tmp_path: Path) -> None:
    """Variables of the target are added for the server only."""
    process = start(("python", "-c", "import os; print(os.environ['MODE'])"), port, MODE="blue")
    with pytest.raises(ServerStartError, match="blue"):
        process.wait()
    assert "MODE" not in os.environ


def test_a_target_without_a_server_has_none(tmp_path: Path) -> None:
    """Nothing can be started for a target that names no server."""
    with pytest.raises(ValueError, match="has no server"):
        ServerProcess(Target("t", {}), tmp_path, tmp_path)
