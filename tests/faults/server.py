"""The target of the fault suite: a threaded HTTP server on loopback that keeps its own record of what it was asked."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

__all__ = ["Answer", "FaultServer", "Seen", "serve"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the server saw it; ``path`` has the query, names of ``headers`` are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says, after ``delay`` seconds; with ``reset`` it breaks the connection off instead."""

    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    reset: bool = False


class FaultServer:
    """Its answers by path.

    ``/ok`` is right, ``/wrong`` has the wrong body, ``/bad`` is a 503, ``/status/418`` has that status, ``/slow/1.5``
    takes so many seconds, ``/flaky/2`` is right from the third request on, ``/surrogate`` holds a lone surrogate. More
    can follow each path (``/ok/7``). ``on`` sets the answer of one path, or a function that makes it; ``fallback`` is
    such a function for all paths that have none.
    """

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self.fallback: Callable[[Seen], Answer] | None = None
        self._own: dict[str, Answer | Callable[[Seen], Answer]] = {}
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Forget what was asked, and what was set."""
        with self._lock:
            self.seen, self._own, self.fallback = [], {}, None

    def on(self, path: str, answer: Answer | Callable[[Seen], Answer]) -> None:
        """Set the answer of a path without its query."""
        self._own[path] = answer

    def asked(self, path: str | None = None, method: str | None = None) -> int:
        """How often something was asked for; the health requests of preflight count, too."""
        return sum(1 for seen in self.seen if path in {None, seen.path} and method in {None, seen.method})

    def answer_of(self, path: str) -> Answer:
        """What a scripted path says the first time."""
        return _scripted(path.strip("/").split("/"), 1)

    def answer(self, seen: Seen) -> Answer:
        """Note a request, and say what the answer is."""
        path = seen.path.partition("?")[0]
        with self._lock:
            self.seen.append(seen)
            number = sum(1 for each in self.seen if each.path == seen.path)
        own = self._own.get(path)
        if own is not None:
            return own if isinstance(own, Answer) else own(seen)
        if self.fallback is not None:
            return self.fallback(seen)
        return _scripted(path.strip("/").split("/"), number)


def _scripted(words: list[str], number: int) -> Answer:
    script, more = words[0], words[1] if len(words) > 1 else ""
    if script == "status":
        return Answer(int(more))
    if script == "slow":
        return Answer(delay=float(more))
    if script == "flaky":
        return Answer() if number > int(more or 1) else _FIXED["wrong"]
    return _FIXED.get(script, Answer())


_FIXED: Final = {
    "wrong": Answer(body=b'{"ok": false}'),
    "bad": Answer(503),
    "surrogate": Answer(body=rb'{"ok": "\udcff"}'),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        server: FaultServer = self.server.faults  # type: ignore[attr-defined]
        answer = server.answer(Seen(self.command, self.path, headers, body, time.time()))
        time.sleep(answer.delay)
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(answer.status)
        sent = {"content-type": "application/json", "content-length": str(len(answer.body))}
        for name, value in (sent | dict(answer.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815  # the base's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that end early are part of the suite."""


@contextmanager
def serve(
    host: str = "127.0.0.1", *, listener: socket.socket | None = None, context: ssl.SSLContext | None = None
) -> Iterator[FaultServer]:
    """A server on a port of its own, or on a socket that listens already; with a context it speaks TLS."""
    faults = FaultServer()
    server = _Server((host, 0), _Handler, bind_and_activate=listener is None)
    if listener is not None:
        server.socket.close()
        server.socket = listener
        host = listener.getsockname()[0]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.faults = faults  # type: ignore[attr-defined]
    faults.url = f"{'https' if context else 'http'}://{host}:{server.socket.getsockname()[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield faults
    finally:
        server.shutdown()
        server.server_close()
