"""The server beside a resident monitor: a process of its own, which reads what runs have sealed and ends with us."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from postdeploy.cli.leaving import leave

if TYPE_CHECKING:
    from postdeploy.serving.route import Routes

__all__ = ["Server"]

_START: Final = 20.0
_END: Final = 5.0
_LIMIT: Final = 512


class Server:
    """Answers about a reports folder while it is open.

    Args:
        routes: makes what it answers, in the server.
        host: the address to listen on.
        port: 0 takes one that is free.
        token: what askers must send, if anything.
        unused: called in the server, which then gives up what is the monitor's own.

    ``process`` is its number, or 0.
    """

    def __init__(
        self, routes: Callable[[], Routes], host: str, port: int, token: str | None, unused: Callable[[], None]
    ) -> None:
        self._about = (routes, host, port, token)
        self._unused = unused
        self.process = 0
        self._lifeline = -1

    def start(self) -> str:
        """Start it; returns its URL. Raises OSError where it cannot listen."""
        told, telling = os.pipe()
        held, lifeline = os.pipe()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self.process = os.fork()
        if not self.process:
            os.close(told)
            os.close(lifeline)
            self._live(telling, held)
        os.close(telling)
        os.close(held)
        self._lifeline = lifeline
        try:
            ready, _, _ = select.select([told], [], [], _START)
            said = os.read(told, _LIMIT).decode() if ready else "it did not start"
        finally:
            os.close(told)
        if not said.startswith("http"):
            self.close()
            raise OSError(0, said or "it ended while it started")
        routes, host, _, token = self._about
        self._about = (routes, host, int(said.rpartition(":")[2]), token)  # where it is asked again
        return said

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        if self.process:
            with suppress(ChildProcessError):
                if os.waitpid(self.process, os.WNOHANG)[0]:
                    self._forget()
        return bool(self.process)

    def close(self) -> None:
        """End it, by force where it does not end by itself."""
        if not self.alive:
            return
        os.close(self._lifeline)  # which it waits for
        self._lifeline = -1
        end = time.monotonic() + _END
        while self.alive and time.monotonic() < end:
            time.sleep(0.02)
        if self.process:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.process, signal.SIGKILL)
                os.waitpid(self.process, 0)
            self._forget()

    def _forget(self) -> None:
        self.process = 0
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def _live(self, telling: int, held: int) -> None:
        status = 1
        try:
            self._unused()
            os.setsid()  # Ctrl-C is the monitor's to hear
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._serve(telling, held)
            status = 0
        except BaseException as error:  # noqa: BLE001  # as at the end of every program
            with suppress(OSError):
                os.write(telling, f"{getattr(error, 'strerror', None) or error}"[:_LIMIT].encode())
        finally:
            leave(status)

    def _serve(self, telling: int, held: int) -> None:
        from postdeploy.serving.server import serving

        routes, host, port, token = self._about
        with serving(routes(), host, port, token=token) as url:
            os.write(telling, url.encode())
            os.close(telling)
            select.select([held], [], [])
