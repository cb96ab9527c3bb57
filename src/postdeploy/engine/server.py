"""The server of a target that a run starts by itself, such as the one of a development target."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pycurl

from postdeploy.domain.target import Target
from postdeploy.errors import ServerStartError

__all__ = ["ServerProcess"]

_POLL: Final = 0.05
_GRACE: Final = 3.0


class ServerProcess:
    """A child in a process group of its own; its output goes to ``server.log`` below the reports folder.

    A server that answers already is used as it is, and left alone at the end.
    """

    def __init__(
        self,
        target: Target,
        root: Path,
        reports: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if target.server is None:
            raise ValueError(f"target {target.name!r} has no server")
        self._server = target.server
        self._url = target.url(target.server.ready)
        self._root = root
        self._log = reports / "server.log"
        self._clock = clock
        self._sleep = sleep
        self._process: subprocess.Popen[bytes] | None = None
        self._found = False

    def start(self) -> None:
        """Start it, unless it answers already. Raises ServerStartError."""
        self._found = _answers(self._url)
        if self._found:
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603  # the command is the user's own
                    _command(self._server.command),
                    cwd=self._root,
                    env={**os.environ, **self._server.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise ServerStartError(f"the server could not be started: {error}") from error

    @property
    def pid(self) -> int | None:
        """The leader of its process group, while it is ours."""
        return self._process.pid if self._process is not None else None

    def wait(self) -> str:
        """Wait until it is ready; returns a sentence for people. Raises ServerStartError with the end of its log."""
        if self._found:
            return f"server: {self._url} answers already and is used as it is"
        end = self._clock() + self._server.within
        while self._clock() < end:
            if _answers(self._url):
                return f"server: {' '.join(self._server.command)}"
            if self._process is None or self._process.poll() is not None:
                status = self._process.returncode if self._process else "?"
                raise ServerStartError(f"the server ended with status {status} before it was ready{self._tail()}")
            self._sleep(_POLL)
        raise ServerStartError(f"the server was not ready within {self._server.within:g} s{self._tail()}")

    def stop(self) -> None:
        """End it and everything that it has started."""
        if self._process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(_GRACE)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process = None

    def _tail(self) -> str:
        try:
            lines = self._log.read_text("utf-8", "backslashreplace").strip().splitlines()
        except OSError:
            return ""
        return f" ({self._log}): {lines[-1][:300]}" if lines else f" ({self._log} is empty)"


def _command(command: tuple[str, ...]) -> list[str]:
    """``python`` means the interpreter that runs the checks, whatever is on the path."""
    first = sys.executable if command[0] in {"python", "python3"} else command[0]
    return [first, *command[1:]]


def _answers(url: str) -> bool:
    """Whether a GET is answered with 2xx."""
    curl = pycurl.Curl()
    try:
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.TIMEOUT_MS, 1000)
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        curl.setopt(pycurl.WRITEFUNCTION, len)
        curl.perform()
        status: int = curl.getinfo(pycurl.RESPONSE_CODE)
    except pycurl.error:
        return False
    finally:
        curl.close()
    return 200 <= status < 300  # noqa: PLR2004  # 2xx, RFC 9110 §15.3
