"""The life of the process: listen, say where, serve, and leave when asked."""

from __future__ import annotations

import signal
import socket
import ssl
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp

from demo.faults.base import FaultError, Listener

if TYPE_CHECKING:
    from demo.certificates import Authority

_BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound but not yet listening, so that nobody connects too early."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without naming the protocol asyncio would leave Nagle's algorithm on: 40 ms for every answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


def address(bound: socket.socket, host: str, secure: bool) -> str:
    """Return the URL under which the socket answers."""
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{shown}:{bound.getsockname()[1]}"


class Server(uvicorn.Server):
    """Uvicorn, plus what faults of the network do to a listener."""

    def __init__(self, app: ASGIApp, authority: Authority | None, on_listening: Callable[[Listener], None]) -> None:
        super().__init__(_config(app, authority.context if authority else None))
        self.secure = authority is not None
        self._authority = authority
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen and tell so."""
        await super().startup(sockets)
        self._on_listening(self)

    def stop_listening(self) -> None:
        """Refuse every new connection and close the present ones."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()

    def drop(self, request: Request) -> None:
        """Cut the connection of a request."""
        for connection in self.server_state.connections:
            if getattr(connection, "client", None) == request.scope["client"]:
                connection.transport.abort()

    def present(self, certificate: str) -> None:
        """Show this certificate from the next handshake on."""
        if self._authority is None:
            raise FaultError("certificates need a server that was started with --tls")
        self._authority.present(certificate)


def run(server: Server, *bound: socket.socket) -> None:
    """Serve on these sockets until SIGTERM or SIGINT, then return."""
    # Uvicorn raises the signal again when it has ended; for us that is simply the end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    server.run(sockets=[*bound])


def _config(app: ASGIApp, context: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="websockets-sansio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=0,
        ssl_context_factory=(lambda _config, _default: context) if context else None,
    )


def _ignore(_number: int, _frame: FrameType | None) -> None:
    pass
