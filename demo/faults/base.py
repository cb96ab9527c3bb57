"""What a fault is: the places where it may bite, each doing nothing unless a fault overrides it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from demo.app import API, is_api
from demo.release import Release

_MOST_DIGITS = 9

Proceed = Callable[[Request], Awaitable[Response]]


class FaultError(ValueError):
    """A fault is not known, or its value does not fit."""


class Listener(Protocol):
    """The part of the server that faults of the network need."""

    secure: bool

    def stop_listening(self) -> None:
        """Refuse every new connection and close the present ones."""

    def drop(self, request: Request) -> None:
        """Cut the connection of a request."""

    def present(self, certificate: str) -> None:
        """Show this certificate from the next handshake on."""


class Fault:
    """A deployment's defect; a subclass overrides the one place where it bites."""

    name: ClassVar[str]
    value: ClassVar[str] = ""
    needs_tls: ClassVar[bool] = False

    @classmethod
    def summary(cls) -> str:
        """Return the sentence that describes this fault."""
        return (cls.__doc__ or "").strip()

    def __init__(self, value: str) -> None:
        if value and not self.value:
            raise FaultError(f"{self.name} takes no value")

    def begin(self, listener: Listener) -> None:
        """Be switched on while the server listens."""

    def end(self, listener: Listener) -> None:
        """Be switched off."""

    def claim(self, release: Release, path: str) -> Release:  # noqa: ARG002 - for subclasses
        """Return the release that an answer names."""
        return release

    async def around(self, request: Request, proceed: Proceed) -> Response:
        """Answer a request, mostly by proceeding."""
        return await proceed(request)

    def finish(self, response: Response) -> None:
        """Change a response that is about to leave."""

    def rewrite(self, name: str, text: str) -> str:  # noqa: ARG002 - for subclasses
        """Return the text of one of the page's files."""
        return text

    def socket(self, app: ASGIApp) -> ASGIApp:
        """Return what serves the websockets."""
        return app


class ApiFault(Fault):
    """A fault of everything below `/api/v1`, except the paths that it spares."""

    spares: ClassVar[tuple[str, ...]] = ()

    async def around(self, request: Request, proceed: Proceed) -> Response:
        """Answer an API request the faulty way."""
        path = request.scope["path"]
        if not is_api(path) or path.removeprefix(API).startswith(self.spares):
            return await proceed(request)
        return await self.api(request, proceed)

    async def api(self, request: Request, proceed: Proceed) -> Response:
        """Answer a request to the API."""
        raise NotImplementedError


class Silence(Response):
    """A response that never sends anything and ends when the client goes."""

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        """Send nothing."""


async def until_client_leaves(request: Request) -> Silence:
    """Wait as long as the client does, and answer nothing."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Silence()


def whole_number(name: str, value: str, default: int) -> int:
    """Return a fault's value as a number of zero or more."""
    if not value:
        return default
    if not value.isdecimal() or len(value) > _MOST_DIGITS:
        raise FaultError(f"{name}={value}: the value must be a whole number")
    return int(value)
