"""Processes that need not import pytest, xdist and the package anew: forked from one that has.

Each is a process of its own with its own folder, environment, streams and exit status, as ``python -m MODULE`` would
be; most of what such a command costs is the import of what it needs. Tests of starting, of memory, of what is imported,
or of what stands around a process (groups, limits, namespaces) start Python afresh instead.

``tests/warm_server.py`` is the one that forks.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

__all__ = ["BIG", "Ended", "WarmProcess", "WarmPython", "warm_python"]

_ROOT: Final = Path(__file__).parents[1]

_START: Final = ("PYTHON", "LD_", "MALLOC_")
"""Variables of these names are heeded when Python starts."""

_MINDED: Final = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
"""Those of them that a process from here does what they say, or need not."""

_ENVIRONMENT: Final = dict(os.environ)
"""What the server starts with, whatever a test does to the environment before."""

BIG: Final = 1 << 20
"""Bytes that a wish may have."""


class Ended:
    """What became of a process, and what it said."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


class WarmProcess:
    """The part of ``subprocess.Popen`` that is used of it."""

    def __init__(self, connection: socket.socket, stdin: IO[bytes] | None, stdout: IO[bytes] | None) -> None:
        self._connection = connection
        self.stdin, self.stdout = stdin, stdout
        self.pid = int(connection.recv(64))
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit status, if there is one yet."""
        return self._status(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once there is one. Raises subprocess.TimeoutExpired."""
        status = self._status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process is gone."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def _status(self, timeout: float | None) -> int | None:
        ready = self.returncode is not None or select.select([self._connection], [], [], timeout)[0]
        if not ready:
            return None
        with self._lock:
            if self.returncode is None:
                self.returncode = int(self._connection.recv(64) or b"-9")
                self._connection.close()
        return self.returncode


class WarmPython:
    """A server of such processes; they inherit the descriptors that they are given, and nothing else."""

    def __init__(self, path: str, server: subprocess.Popen[bytes] | None = None) -> None:
        self.path = path
        self._server = server

    @property
    def pid(self) -> int:
        """That of the server, which all its processes have as their parent."""
        assert self._server is not None
        return self._server.pid

    @staticmethod
    def start() -> WarmPython:
        """A server that has imported what it can."""
        path = str(Path(tempfile.mkdtemp(prefix="warm-python-", dir="/tmp"), "socket"))
        command = [sys.executable, "-m", "tests.warm_server", path]
        server = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_ENVIRONMENT)
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        return WarmPython(path, server)

    @contextlib.contextmanager
    def within(self, namespace: str) -> Iterator[WarmPython]:
        """A server that is forked from this one, as ``ip netns exec NAMESPACE`` would start it."""
        path = f"{self.path}-{namespace}"
        process = self._ask({"serve": path, "namespace": namespace}, (0, 1, 2))
        try:
            while not Path(path).exists():
                assert process.poll() is None, "the server has not started"
                time.sleep(0.002)
            yield WarmPython(path)
        finally:
            process.kill()
            Path(path).unlink(missing_ok=True)

    def run(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        timeout: float,
        both: bool = False,
    ) -> Ended:
        """Run ``python WORDS`` to its end; ``both`` has its two streams in one. Raises subprocess.TimeoutExpired."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open("rb") as none:
            streams = (none.fileno(), out.fileno(), out.fileno() if both else err.fileno())
            process = self.fork(words, str(cwd), dict(os.environ if env is None else env), streams)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            return Ended(status, _content(out), _content(err))

    @staticmethod
    def fits(env: Mapping[str, str]) -> bool:
        """Whether nothing in the environment would count when Python starts."""
        names = {name for name in {*env, *_ENVIRONMENT} if name.startswith(_START)} - _MINDED
        return all(env.get(name) == _ENVIRONMENT.get(name) for name in names)

    def fork(
        self,
        words: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        streams: tuple[int, int, int],
        group: int | None = None,
        **pipes: IO[bytes],
    ) -> WarmProcess:
        """A process with these three streams, in this process group if one is named; 0 is one of its own."""
        wish = {"words": list(words), "cwd": cwd, "env": dict(env), "group": group}
        return self._ask(wish, streams, **pipes)

    def _ask(self, wish: Mapping[str, object], streams: tuple[int, int, int], **pipes: IO[bytes]) -> WarmProcess:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(self.path)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BIG)
        socket.send_fds(connection, [json.dumps(wish).encode()], streams)
        return WarmProcess(connection, pipes.get("stdin"), pipes.get("stdout"))


@functools.cache
def warm_python() -> WarmPython:
    """The server of this process, which ends with it."""
    return WarmPython.start()


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
