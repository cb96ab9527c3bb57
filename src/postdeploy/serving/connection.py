"""One client's connection: h11 speaks HTTP/1.1, here are the bounds on what it may cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import h11

from postdeploy.lazy_dataclass import dataclass
from postdeploy.serving.route import Request, Response, json_response

__all__ = ["Answer", "Connection", "Limits"]

_ALWAYS: Final = (("cache-control", "no-store"), ("x-content-type-options", "nosniff"))
"""An answer is about this moment; nothing between here and whoever asked may give it again."""

Answer = Callable[[Request, Mapping[str, str]], Awaitable[Response]]
"""From a request and its headers, whose names are in lower case."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may cost.

    Args:
        connections: at once; one more is told 503 and closed.
        head: bytes of a request line with its headers; what came with one look may be as much again.
        body: bytes.
        read: seconds in which a whole request must have come, counted from the connection or the last answer.
        answer: seconds that a handler may take, and seconds in which the client must take the answer.
    """

    connections: int = 64
    head: int = 16 * 1024
    body: int = 64 * 1024
    read: float = 10.0
    answer: float = 30.0


class _TooLargeError(Exception):
    """A body is larger than it may be."""


class Connection:
    """One request after another. ``busy`` says whether one is being answered; after ``last`` there is no other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self.busy = False
        self.last = False
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)

    async def run(self, answer: Answer) -> None:
        """Until either side has had enough."""
        with suppress(OSError, TimeoutError, h11.LocalProtocolError):
            while await self._exchange(answer):
                self._protocol.start_next_cycle()
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._limits.answer):
                await self._writer.wait_closed()
        self._writer.transport.abort()  # what the client has not taken by now, it never will

    async def _exchange(self, answer: Answer) -> bool:
        """One request and its response; returns whether there may be another."""
        try:
            async with asyncio.timeout(self._limits.read):
                asked = await self._request()
        except h11.RemoteProtocolError as error:
            return await self._send(json_response(error.error_status_hint, {"error": "not HTTP/1.1 as it should be"}))
        except _TooLargeError:
            return await self._send(json_response(413, {"error": "the body is too large"}))
        if asked is None:
            return False
        self.busy = True
        response = await answer(*asked)
        again = await self._send(response, head=asked[0].method == "HEAD")
        self.busy = False
        return again and not self.last

    async def _request(self) -> tuple[Request, dict[str, str]] | None:
        """The next request with its headers; None if the client is gone."""
        event = await self._event()
        if not isinstance(event, h11.Request):
            return None
        body = bytearray()
        while isinstance(data := await self._event(), h11.Data):
            body += data.data
            if len(body) > self._limits.body:
                raise _TooLargeError
        path, _, query = event.target.decode("ascii").partition("?")
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
        return Request(event.method.decode("ascii"), path, query, bytes(body)), headers

    async def _event(self) -> object:
        while True:
            event = self._protocol.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._protocol.they_are_waiting_for_100_continue:
                self._write(h11.InformationalResponse(status_code=100, headers=[]))
            self._protocol.receive_data(await self._reader.read(self._limits.head))

    async def _send(self, response: Response, *, head: bool = False) -> bool:
        """Send it whole; returns whether the protocol is ready for another request."""
        headers = [
            ("content-type", response.content_type), ("content-length", str(len(response.body))),
            *_ALWAYS, *response.headers.items(), *((("connection", "close"),) if self.last else ()),
        ]  # fmt: skip
        self._write(h11.Response(status_code=response.status, headers=headers))
        if not head:
            self._write(h11.Data(data=response.body))
        self._write(h11.EndOfMessage())
        async with asyncio.timeout(self._limits.answer):
            await self._writer.drain()
        return self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE

    def _write(self, event: h11.Event) -> None:
        self._writer.write(self._protocol.send(event) or b"")
