"""The websocket misbehaves while the rest works."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from demo.faults.base import Fault


class WebsocketRefused(Fault):
    """The chat's handshake is answered with 403."""

    name = "websocket-refused"

    @override
    def socket(self, app: ASGIApp) -> ASGIApp:
        async def refuse(_scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

        return refuse


class WebsocketSilent(Fault):
    """The chat connects and then says nothing."""

    name = "websocket-silent"

    @override
    def socket(self, app: ASGIApp) -> ASGIApp:
        async def say_nothing(_scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass

        return say_nothing


class WebsocketCloses(Fault):
    """The chat connects and is closed at once with 1011."""

    name = "websocket-closes"

    @override
    def socket(self, app: ASGIApp) -> ASGIApp:
        async def close(_scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 1011})

        return close


FAULTS: tuple[type[Fault], ...] = (WebsocketRefused, WebsocketSilent, WebsocketCloses)
