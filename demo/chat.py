"""WebSocket rooms: everybody in a room hears every message."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from demo.release import claimed
from demo.store import AUTHORS, Message

MOST_CLIENTS = 1000
LONGEST_TEXT = 2000
_ROOM = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Chat:
    """The rooms and who is in them."""

    def __init__(self) -> None:
        self._rooms: defaultdict[str, set[WebSocket]] = defaultdict(set)

    async def connect(self, socket: WebSocket) -> None:
        """Serve one client until it leaves."""
        room = socket.path_params["id"]
        if not _ROOM.fullmatch(room) or sum(map(len, self._rooms.values())) >= MOST_CLIENTS:
            await socket.close(1008)
            return
        await socket.accept(headers=[(b"x-release", claimed(socket).commit.encode("ascii"))])
        self._rooms[room].add(socket)
        try:
            await socket.send_json({"type": "welcome", "conversation": room})
            await self._listen(room, socket)
        except WebSocketDisconnect:
            pass
        finally:
            self._leave(room, socket)

    async def _listen(self, room: str, socket: WebSocket) -> None:
        while True:
            event = await socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            await self._answer(room, socket, event.get("text") or event.get("bytes") or "")

    async def _answer(self, room: str, socket: WebSocket, text: str | bytes) -> None:
        try:
            event = json.loads(text)
        except ValueError:
            await socket.send_json(_error("INVALID_JSON", "send a JSON object"))
            return
        kind = event.get("type") if isinstance(event, dict) else None
        if kind == "ping":
            await socket.send_json({"type": "pong"})
        elif kind == "message":
            await self._message(room, socket, event)
        else:
            await socket.send_json(_error("UNKNOWN_TYPE", "type must be message or ping"))

    async def _message(self, room: str, socket: WebSocket, event: dict[str, Any]) -> None:
        text, author = event.get("text"), event.get("author", "me")
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT or author not in AUTHORS:
            await socket.send_json(_error("INVALID_MESSAGE", "text or author is not valid"))
            return
        heard = {"type": "message", "conversation": room, **Message(author, text).document()}
        for client in list(self._rooms[room]):
            with suppress(WebSocketDisconnect, RuntimeError):
                await client.send_json(heard)

    def _leave(self, room: str, socket: WebSocket) -> None:
        self._rooms[room].discard(socket)
        if not self._rooms[room]:
            del self._rooms[room]


def _error(code: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"code": code, "message": message}}
