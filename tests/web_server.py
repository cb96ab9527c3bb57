"""A web server that answers as it is told, in a thread of its own; for tests."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

__all__ = ["Answer", "Seen", "WebServer", "respond"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came; ``connection`` counts connections from 1, ``at`` is monotonic."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: bytes as they are, each part after a pause; ``hang`` sends nothing, ``reset`` cuts the connection.

    ``close`` ends the connection after the parts.
    """

    parts: tuple[bytes, ...] = ()
    pause: float = 0.0
    hang: bool = False
    reset: bool = False
    close: bool = False


def respond(status: int = 200, body: bytes | str = b"{}", pause: float = 0.0, **headers: str) -> Answer:
    """An ordinary answer; underscores in the names of headers are dashes."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} Any", *lines, f"content-length: {len(data)}", "", ""])
    return Answer((head.encode() + data,), pause)


Script = Answer | Callable[[Seen], Answer]


@dataclass
class WebServer:
    """Listens on loopback from the beginning; each path has a script of answers, the last of which is repeated."""

    context: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    busy: int = 0
    peak: int = 0
    _scripts: dict[str, list[Script]] = field(default_factory=dict)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Start the thread, and wait until it listens."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listen()

    @property
    def url(self) -> str:
        """Where it is."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.context else 'http'}://{host}:{self.port}"

    def script(self, path: str, *answers: Script) -> Self:
        """What is answered at a path (without its query), in turn; ``*`` is every other path."""
        self._scripts[path] = list(answers)
        return self

    def paths(self) -> list[str]:
        """Which paths were asked for, in order."""
        return [seen.path for seen in self.seen]

    def down(self) -> None:
        """Refuse connections from now on, and cut those that are open."""
        self._call(self._close())

    def up(self) -> None:
        """Listen again on the same port."""
        self._listen()

    def close(self) -> None:
        """End the thread."""
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2)
        self._loop.close()

    def _listen(self) -> None:
        async def listen() -> asyncio.Server:
            return await asyncio.start_server(self._serve, self.host, self.port, ssl=self.context, backlog=200)

        self._server = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(2)
        self.port = self._server.sockets[0].getsockname()[1]

    def _call(self, coroutine: object) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(2)  # type: ignore[arg-type]

    async def _close(self) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            while await self._exchange(number, reader, writer):
                pass
        self._writers.discard(writer)
        writer.close()

    async def _exchange(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        seen = await _read(number, reader)
        self.seen.append(seen)
        self.busy += 1
        self.peak = max(self.peak, self.busy)
        try:
            return await _answer(self._next(seen), writer)
        finally:
            self.busy -= 1

    def _next(self, seen: Seen) -> Answer:
        answers = self._scripts.get(seen.path.partition("?")[0]) or self._scripts.get("*") or [respond()]
        script = answers.pop(0) if len(answers) > 1 else answers[0]
        return script(seen) if callable(script) else script


async def _read(number: int, reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = line.split(" ", 2)
    return Seen(method, path, headers, body, number, time.monotonic())


async def _answer(answer: Answer, writer: asyncio.StreamWriter) -> bool:
    if answer.hang:
        await asyncio.sleep(30)
    if answer.reset:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return False
    for part in answer.parts:
        if answer.pause:
            await asyncio.sleep(answer.pause)
        writer.write(part)
        await writer.drain()
    return not answer.close
