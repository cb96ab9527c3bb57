"""The door that every request comes through: identity, delay, log and choice of the slot."""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from demo.control import PATH, Control
from demo.deployment import Deployment
from demo.release import SCOPE_KEY, Release
from demo.traffic import Seen

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How the door behaves, as the command line says."""

    delay: float = 0.0
    control: bool = True
    quiet: bool = False


class Front:
    """The ASGI application that the server runs."""

    def __init__(self, deployment: Deployment, manner: Manner) -> None:
        self._deployment = deployment
        self._manner = manner
        self._control = Control(deployment)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one websocket."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(Request(scope, receive), send)

    async def _http(self, request: Request, send: Send) -> None:
        path = request.scope["path"]
        if path == PATH or path.startswith(f"{PATH}/"):
            response = await self._controlled(request)
        else:
            response = await self._answered(request)
        await response(request.scope, request.receive, send)

    async def _controlled(self, request: Request) -> Response:
        if self._manner.control:
            return await self._control.answer(request)
        return PlainTextResponse("Not Found", 404)

    async def _answered(self, request: Request) -> Response:
        started = time.perf_counter()
        slot = self._deployment.choose(request)
        seen = self._deployment.traffic.saw(request, slot.name)
        release = request.scope[SCOPE_KEY] = slot.claim(request.scope["path"])
        if self._manner.delay:
            await asyncio.sleep(self._manner.delay)
        response = await slot.answer(request)
        _stamp(response, request, release)
        slot.finish(response)
        seen.status = response.status_code
        self._print(seen, started)
        return response

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        slot = self._deployment.choose(connection)
        seen = self._deployment.traffic.saw(connection, slot.name)
        scope[SCOPE_KEY] = slot.claim(scope["path"])

        async def noting(message: Message) -> None:
            if seen.status is None:
                seen.status = 101 if message["type"] == "websocket.accept" else 403
            await send(message)

        await slot.connect(scope, receive, noting)

    def _print(self, seen: Seen, started: float) -> None:
        if not self._manner.quiet:
            milliseconds = (time.perf_counter() - started) * 1000
            # Whoever started the server may have closed the pipe; that must not cost an answer.
            with suppress(OSError):
                sys.stdout.write(f"{seen.method} {seen.path} {seen.status} {milliseconds:.0f} ms\n")
                sys.stdout.flush()


def _stamp(response: Response, request: Request, release: Release) -> None:
    for name, value in _SECURITY.items():
        response.headers.setdefault(name, value)
    sent = request.headers.get("x-request-id", "")
    response.headers["x-request-id"] = sent if _REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)
    response.headers["x-release"] = release.commit
