"""One release that is running, with the faults that it has."""

from __future__ import annotations

import sys
import traceback
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.app import State, build_app
from demo.assets import Bundle
from demo.faults.base import Fault, Proceed
from demo.release import Release


class Slot:
    """Answers as its release would; the faults stand around that answer."""

    def __init__(self, name: str, release: Release, state: State) -> None:
        self.name = name
        self.release = release
        self._faults: list[Fault] = []
        self._app = build_app(state, lambda: self.bundle)
        self._socket: ASGIApp = self._app
        self.deploy(release)

    def deploy(self, release: Release) -> None:
        """Run another release from now on."""
        self.release = release
        self._build()

    def suffer(self, faults: list[Fault]) -> None:
        """Have exactly these faults from now on."""
        self._faults = faults
        self._socket = self._app
        for fault in faults:
            self._socket = fault.socket(self._socket)
        self._build()

    def claim(self, path: str) -> Release:
        """Return the release that the next answer names."""
        claimed = self.release
        for fault in self._faults:
            claimed = fault.claim(claimed, path)
        return claimed

    async def answer(self, request: Request) -> Response:
        """Return the response to a request."""
        proceed: Proceed = self._inner
        for fault in self._faults:
            proceed = partial(fault.around, proceed=proceed)
        return await proceed(request)

    def finish(self, response: Response) -> None:
        """Let the faults at the response once it is complete."""
        for fault in self._faults:
            fault.finish(response)

    async def connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket."""
        await self._socket(scope, receive, send)

    def _build(self) -> None:
        self.bundle = Bundle(self.release.commit, self._rewrite)

    def _rewrite(self, name: str, text: str) -> str:
        for fault in self._faults:
            text = fault.rewrite(name, text)
        return text

    async def _inner(self, request: Request) -> Response:
        collected = _Collected()
        try:
            await self._app(request.scope, request.receive, collected.send)
        except Exception:  # noqa: BLE001 - the handler has answered 500; the server must go on
            traceback.print_exc(file=sys.stderr)
        return collected.response


class _Collected:
    """An ASGI `send` that keeps the answer, so that a fault can look at it before it leaves."""

    def __init__(self) -> None:
        self.response = Response()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.response.status_code = message["status"]
            self.response.raw_headers = list(message.get("headers", ()))
        else:
            self.response.body = bytes(self.response.body) + message.get("body", b"")
