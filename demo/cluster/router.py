"""The front: each request goes to one slot, by the shares of traffic or, at the canary's address, to the idle one."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import suppress
from typing import cast

import httpx2
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from demo.cluster.slots import Slot, Slots
from demo.cluster.tunnel import tunnel

__all__ = ["SERVED_BY", "Router"]

SERVED_BY = "x-served-by"
_TIMEOUT = {"connect": 1.0, "read": 2.0, "write": 2.0, "pool": 2.0}
_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"te", b"transfer-encoding", b"upgrade", b"proxy-connection"})


class Router:
    """Forwards requests and websockets, and counts what became of them."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._ways: dict[str, httpx2.AsyncHTTPTransport] = {}
        self.canary_port = 0

    def connect(self, slot: Slot) -> None:
        """Be ready to forward to a slot."""
        self._ways[slot.name] = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=None))

    async def disconnect(self, slot: Slot) -> None:
        """Forget the connections to a slot."""
        way = self._ways.pop(slot.name, None)
        if way is not None:
            await way.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one websocket."""
        at_canary = scope["server"][1] == self.canary_port
        slot = self._slots.idle if at_canary else self._slots.choose()
        if not slot.release:
            await _nobody(scope, receive, send)
            return
        with slot.answering():
            if scope["type"] == "websocket":
                await tunnel(slot.url, scope, receive, send)
            else:
                await self._forward(slot, Request(scope, receive), send)

    async def _forward(self, slot: Slot, request: Request, send: Send) -> None:
        try:
            response = await self._ways[slot.name].handle_async_request(await _outgoing(slot, request))
        except httpx2.TransportError as error:
            status = 504 if isinstance(error, httpx2.TimeoutException) else 502
            slot.answered[str(status)] += 1
            refusal = PlainTextResponse(f"{slot.release}: {type(error).__name__}\n", status, {SERVED_BY: slot.release})
            await refusal(request.scope, request.receive, send)
            return
        slot.answered[str(response.status_code)] += 1
        try:
            await _relay(slot.release, response, send)
        finally:
            with suppress(httpx2.TransportError):
                await response.aclose()


async def _outgoing(slot: Slot, request: Request) -> httpx2.Request:
    target = request.scope["raw_path"] + (
        b"?" + request.scope["query_string"] if request.scope["query_string"] else b""
    )
    url = httpx2.URL(slot.url).copy_with(raw_path=target)
    headers = [(name, value) for name, value in request.headers.raw if name not in _HOP_BY_HOP]
    body = await request.body()
    return httpx2.Request(request.method, url, headers=headers, content=body, extensions={"timeout": _TIMEOUT})


async def _relay(release: str, response: httpx2.Response, send: Send) -> None:
    found = [(name.lower(), value) for name, value in response.headers.raw]
    headers = [(name, value) for name, value in found if name not in _HOP_BY_HOP and name != b"date"]
    headers.append((SERVED_BY.encode(), release.encode()))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    async for chunk in cast("AsyncIterable[bytes]", response.stream):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _nobody(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1013})
        return
    await PlainTextResponse("no release runs here\n", 503)(scope, receive, send)
