"""A websocket through the front: two directions, until either side ends it."""

from __future__ import annotations

import asyncio

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

__all__ = ["tunnel"]

_OWN = ("host", "connection", "upgrade")


async def tunnel(url: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Connect to the slot, accept only if it accepts, and carry messages both ways."""
    headers = HTTPConnection(scope).headers.items()
    handed_on = [(name, value) for name, value in headers if name not in _OWN and not name.startswith("sec-websocket")]
    query = scope["query_string"].decode("latin-1")
    address = f"ws{url.removeprefix('http')}{scope['path']}{'?' if query else ''}{query}"
    await receive()
    try:
        inner = await connect(address, additional_headers=handed_on, proxy=None)
    except (InvalidHandshake, OSError):
        await send({"type": "websocket.close", "code": 1011})
        return
    async with inner:
        await send({"type": "websocket.accept"})
        ways = [asyncio.create_task(_inward(inner, receive)), asyncio.create_task(_outward(inner, send))]
        _, unfinished = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in unfinished:
            way.cancel()


async def _inward(inner: ClientConnection, receive: Receive) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        await inner.send(message["bytes"] if text is None else text)


async def _outward(inner: ClientConnection, send: Send) -> None:
    try:
        async for data in inner:
            await send({"type": "websocket.send", **({"text": data} if isinstance(data, str) else {"bytes": data})})
    except ConnectionClosed:
        pass
    await send({"type": "websocket.close", "code": inner.close_code or 1000})
