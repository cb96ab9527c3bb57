"""A server that sends exactly the bytes that a row wants, well-formed or not, and as slowly as it wants."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["RawServer", "serve_raw"]

Script = Callable[[socket.socket], None]


class RawServer:
    """Answers by path: bytes are sent and the connection is closed, a function does as it likes; all else is fine."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[str] = []
        self.scripts: dict[str, bytes | Script] = {}

    def handle(self, connection: socket.socket) -> None:
        """Answer one request after the other."""
        with contextlib.suppress(OSError), connection:
            while head := _head(connection):
                path = head.split(b" ", 2)[1].decode("latin-1").partition("?")[0]
                self.seen.append(path)
                script = self.scripts.get(path)
                if script is None:
                    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"status": "ok"}')
                    continue
                if callable(script):
                    script(connection)
                else:
                    connection.sendall(script)
                return


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = connection.recv(65536)
        if not data:
            return b""
        head += data
    return head


@contextmanager
def serve_raw() -> Iterator[RawServer]:
    """A server on a port of its own."""
    raw = RawServer()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    raw.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=raw.handle, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield raw
    finally:
        listener.close()
