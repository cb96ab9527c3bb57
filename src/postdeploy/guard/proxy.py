"""A proxy on loopback through which a browser goes: the hard boundary for hosts, and for methods where it sees them.

It forwards plain HTTP by host and method, and tunnels (https, WebSockets) by host and port. What is refused gets no
answer: its connection is closed, as if nobody were there. It runs on a thread with an event loop of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from postdeploy.guard.hosts import endpoint_of

__all__ = ["AllowListProxy", "Bounds"]

_START: Final = 5.0
_CONNECT: Final = 10.0
_HEAD: Final = 64 * 1024
_CHUNK: Final = 64 * 1024
_KEPT: Final = 100
_HOP: Final = (b"proxy-connection:", b"proxy-authorization:", b"connection:", b"keep-alive:")
_ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def _at_once() -> None:
    """Nothing has to be waited for."""


class Bounds(NamedTuple):
    """What a proxy asks before and tells after each request that it can see.

    Args:
        refused: why a request (method, URL) may not be sent, or None; also asked for CONNECT with ``https://host:port``.
        admit: returns when a request may be sent. Raises ValueError where none may any more.
        done: told of the end of a request that was admitted, with the bytes of its answer.
    """

    refused: Callable[[str, str], object | None]
    admit: Callable[[], Awaitable[None]] = _at_once
    done: Callable[[int], None] = lambda _bytes: None


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Tally:
    """How much came back."""

    bytes = 0


class _Head(NamedTuple):
    method: str
    url: str
    fields: tuple[bytes, ...]

    @property
    def length(self) -> int:
        """Bytes of the body; -1 where it comes in chunks."""
        for line in self.fields:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"transfer-encoding":
                return -1
            if name.strip().lower() == b"content-length":
                return int(value)
        return 0


class AllowListProxy:
    """Listens from ``start()`` to ``close()``; ``refusals`` are the requests that were not let through."""

    def __init__(self, bounds: Bounds) -> None:
        self.port = 0
        self.refusals: list[str] = []
        self._bounds = bounds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen; returns when it does. Raises OSError."""
        listening = threading.Event()
        problem: list[BaseException] = []
        self._thread = threading.Thread(
            target=self._serve, args=(listening, problem), name="postdeploy-proxy", daemon=True
        )
        self._thread.start()
        if not listening.wait(_START) or problem:
            raise OSError(f"the proxy of pages did not start: {problem[0] if problem else 'it took too long'}")

    def close(self) -> None:
        """End the thread and every connection; harmless when repeated."""
        loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                loop.call_soon_threadsafe(loop.stop)
            thread.join(_START)

    def _serve(self, listening: threading.Event, problem: list[BaseException]) -> None:
        loop = self._loop = asyncio.SelectorEventLoop()
        loop.set_exception_handler(lambda _loop, _context: None)  # a browser that goes away is no fault of ours
        try:
            server = loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_HEAD))
            self.port = server.sockets[0].getsockname()[1]
            listening.set()
            loop.run_forever()
            server.close()
            _cancel_all(loop)
        except BaseException as error:  # noqa: BLE001  # whoever waits for the start is told
            problem.append(error)
        finally:
            listening.set()
            loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await _read_head(reader)
        if head is None:
            return False
        tunnel = head.method == "CONNECT"
        url = f"https://{head.url}" if tunnel else head.url
        endpoint = endpoint_of(url)
        if endpoint is None or self._bounds.refused(head.method, url) is not None:
            self._refuse(f"{head.method} {url}")
            return False
        if tunnel:
            return await self._tunnel(endpoint, reader, writer)
        return await self._forward(head, endpoint, reader, writer)

    def _refuse(self, what: str) -> None:
        if len(self.refusals) < _KEPT:
            self.refusals.append(what[:2000])

    async def _tunnel(
        self, endpoint: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        upstream = await _connect(endpoint, writer)
        if upstream is None:
            return False
        there, back = upstream
        writer.write(_ESTABLISHED)
        sent = asyncio.ensure_future(_relay(reader, back))
        try:
            await _relay(there, writer)
        finally:
            sent.cancel()
            back.close()
        return False

    async def _forward(
        self, head: _Head, endpoint: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """One request over a connection of its own: its end is the end of the answer, however it is framed."""
        await self._bounds.admit()
        tally = _Tally()
        try:
            upstream = await _connect(endpoint, writer)
            if upstream is not None:
                there, back = upstream
                try:
                    await _one_request(head, (reader, writer), (there, back), tally)
                finally:
                    back.close()
        finally:
            self._bounds.done(tally.bytes)
        return False


async def _read_head(reader: asyncio.StreamReader) -> _Head | None:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    line, *fields = raw[:-4].split(b"\r\n")
    method, url, _ = line.decode("latin-1").split(" ", 2)
    return _Head(method, url, tuple(fields))


async def _one_request(head: _Head, browser: _Stream, server: _Stream, tally: _Tally) -> None:
    """Until the answer has ended, or the browser has gone, as it does when it has the whole answer."""
    server[1].write(_request(head))
    answer = asyncio.ensure_future(_answer(server[0], browser[1], tally))
    gone = asyncio.ensure_future(_body_and_end(head.length, browser[0], server[1]))
    await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
    for task in (answer, gone):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError, OSError, asyncio.IncompleteReadError):
        await answer


async def _answer(there: asyncio.StreamReader, writer: asyncio.StreamWriter, tally: _Tally) -> None:
    """Pass the answer on, whose head says that the connection ends with it."""
    final = False
    while not final:
        head = await there.readuntil(b"\r\n\r\n")
        tally.bytes += len(head)
        final = not head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1"))
        writer.write(_closing(head) if final else head)
    await _relay(there, writer, tally)


def _closing(head: bytes) -> bytes:
    lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(_HOP)]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


def _request(head: _Head) -> bytes:
    """The request in origin form, for one exchange."""
    rest = head.url.partition("://")[2]
    path = rest[len(rest.split("/", 1)[0].split("?", 1)[0]) :]
    path = path if path.startswith("/") else f"/{path}"
    kept = [line for line in head.fields if not line.lower().startswith(_HOP)]
    line = f"{head.method} {path} HTTP/1.1".encode("latin-1")
    return b"\r\n".join([line, *kept, b"Connection: close", b"", b""])


async def _body_and_end(length: int, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    """Pass the body on, then wait until the browser ends the connection."""
    if length < 0:
        await _relay(reader, back)
        return
    while length > 0 and (data := await reader.read(min(_CHUNK, length))):
        back.write(data)
        await back.drain()
        length -= len(data)
    while await reader.read(_CHUNK):
        pass


async def _relay(source: asyncio.StreamReader, sink: asyncio.StreamWriter, tally: _Tally | None = None) -> None:
    """Pass bytes on until there are no more."""
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            if tally is not None:
                tally.bytes += len(data)
            sink.write(data)
            await sink.drain()


async def _connect(endpoint: tuple[str, int], writer: asyncio.StreamWriter) -> _Stream | None:
    """A connection to where a permitted request leads; where nobody is there, the browser's is cut, and it is None."""
    try:
        return await asyncio.wait_for(asyncio.open_connection(*endpoint, limit=_CHUNK), _CONNECT)
    except (OSError, TimeoutError):
        writer.transport.abort()
        return None


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1))
