"""The server that every benchmark talks to: raw HTTP/1.1 with keep-alive, each answer after a fixed delay.

Run as ``python -m benchmarks.server SECONDS``; it prints its port and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final
from urllib.parse import parse_qs, urlsplit

CONTROL: Final = "/-/"

_PAGE: Final = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Benchmark</title></head>
<body><h1>Benchmark</h1><main id="main">loading</main><script src="/app.js"></script></body></html>
"""
_SCRIPT: Final = b"""fetch("/data.json").then(answer => answer.json()).then(data => {
  document.getElementById("main").innerHTML = "<button>" + data.label + "</button>";
});
"""
_CHECKED: Final = b'{"status": "ok", "db": "ok", "items": [1, 2, 3]}'


class State:
    """What the server shares between its connections."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.release = "old"
        self.log: list[tuple[str, float]] = []
        """Path and moment of every request as it came and, with a ``<`` before the path, of its answer."""

    def answer(self, path: str) -> tuple[bytes, str, float]:
        """Body, content type and delay for a path."""
        if path.startswith(CONTROL):
            return self._control(path), "application/json", 0.0
        if path == "/build-info.json":
            return json.dumps({"commit": self.release}).encode(), "application/json", self.delay
        if path.startswith("/page"):
            return _PAGE, "text/html; charset=utf-8", 0.0
        if path == "/app.js":
            return _SCRIPT, "text/javascript", 0.0
        if path == "/data.json":
            return b'{"label": "Ready"}', "application/json", self.delay
        return _CHECKED, "application/json", self.delay

    def _control(self, path: str) -> bytes:
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/-/release":
            asyncio.get_running_loop().call_later(float(query["after"]), self._switch, query["commit"])
        elif url.path == "/-/log":
            log, self.log = self.log, []
            return json.dumps(log).encode()
        return b"{}"

    def _switch(self, commit: str) -> None:
        self.release = commit


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests without bodies are all it understands."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        """Nobody waits for answers any more."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        *requests, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        for request in requests:
            self._request(request.split(b" ", 2)[1].decode("ascii", "replace"))

    def _request(self, path: str) -> None:
        if not path.startswith(CONTROL):
            self._state.log.append((path, time.monotonic()))
        body, kind, delay = self._state.answer(path)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        if delay:
            asyncio.get_running_loop().call_later(delay, self._send, path, head + body)
        else:
            self._send(path, head + body)

    def _send(self, path: str, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)
            if path == "/build-info.json":
                self._state.log.append(("<" + path, time.monotonic()))


async def serve(delay: float) -> None:
    """Serve until standard input ends."""
    state = State(delay)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(state), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
