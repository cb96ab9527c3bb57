"""The connection itself fails."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from typing_extensions import override

from demo.faults.base import (
    ApiFault,
    Fault,
    FaultError,
    Listener,
    Proceed,
    until_client_leaves,
    whole_number,
)

_GATEWAY_PAGE = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


class DownAfterStart(Fault):
    """After COUNT requests (20) or SECONDSs (like 5s) the server refuses every connection."""

    name = "down-after-start"
    value = "COUNT|SECONDSs"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        number = whole_number(self.name, value.removesuffix("s"), 20)
        self._seconds = number if value.endswith("s") else None
        self._left = number
        self._listener: Listener | None = None

    @override
    def begin(self, listener: Listener) -> None:
        self._listener = listener
        if self._seconds is not None:
            asyncio.get_running_loop().call_later(self._seconds, self._go_down)

    @override
    def end(self, listener: Listener) -> None:
        self._listener = None

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        self._left -= 1
        if self._seconds is None and self._left <= 0:
            # Before the last answer leaves, so that nobody who has it can still connect.
            self._go_down()
        return response

    def _go_down(self) -> None:
        if self._listener is not None:
            self._listener.stop_listening()


class Hang(ApiFault):
    """The API accepts requests and never answers."""

    name = "hang"

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        return await until_client_leaves(request)


class Reset(ApiFault):
    """The API cuts the connection instead of answering."""

    name = "reset"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._listener: Listener | None = None

    @override
    def begin(self, listener: Listener) -> None:
        self._listener = listener

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        if self._listener is not None:
            self._listener.drop(request)
        return await until_client_leaves(request)


class BadGateway(Fault):
    """Everything is the 502 page of a proxy that cannot reach the service."""

    name = "bad-gateway"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        return HTMLResponse(_GATEWAY_PAGE, 502)


class RedirectLoop(Fault):
    """The editor page redirects to itself for ever."""

    name = "redirect-loop"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        if request.scope["path"] == "/":
            return RedirectResponse("/", 302)
        return await proceed(request)


class _Certificate(Fault):
    needs_tls = True

    @override
    def begin(self, listener: Listener) -> None:
        if not listener.secure:
            raise FaultError(f"{self.name} needs a server that was started with --tls")
        listener.present(self.name)

    @override
    def end(self, listener: Listener) -> None:
        listener.present("")


class ExpiredCertificate(_Certificate):
    """The certificate expired yesterday (needs --tls)."""

    name = "expired-certificate"


class ExpiringCertificate(_Certificate):
    """The certificate expires in three days (needs --tls)."""

    name = "expiring-certificate"


class WrongHostCertificate(_Certificate):
    """The certificate is another host's (needs --tls)."""

    name = "wrong-host-certificate"


class SelfSigned(_Certificate):
    """The certificate vouches for itself (needs --tls)."""

    name = "self-signed"


class MissingIntermediate(_Certificate):
    """The chain lacks the certificate between the leaf and the CA (needs --tls)."""

    name = "missing-intermediate"


FAULTS: tuple[type[Fault], ...] = (
    DownAfterStart,
    Hang,
    Reset,
    BadGateway,
    RedirectLoop,
    ExpiredCertificate,
    ExpiringCertificate,
    WrongHostCertificate,
    SelfSigned,
    MissingIntermediate,
)
