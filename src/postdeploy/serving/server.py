"""A small HTTP/1.1 server with an end to everything: heads, bodies, waiting, connections.

It runs on a thread of its own, so that whoever starts it keeps signals and may do other work; handlers run on a few
threads more.
"""

from __future__ import annotations

import asyncio
import hmac
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from postdeploy.serving.connection import Connection, Limits
from postdeploy.serving.route import BadRequestError, Request, Response, Route, Routes, json_response

__all__ = ["Limits", "serving"]

_CLOSING: Final = 2.0
"""Seconds that a client has to take its answer when the server ends."""


@contextmanager
def serving(
    routes: Routes, host: str = "127.0.0.1", port: int = 0, *, token: str | None = None, limits: Limits | None = None
) -> Iterator[str]:
    """Serve while the context lasts; gives the URL. Raises OSError where it cannot listen.

    Args:
        routes: what is answered where; all else is 404.
        host: the address to listen on.
        port: 0 takes one that is free.
        token: what ``Authorization: Bearer`` must say, save on public routes; None asks nobody.
        limits: what one client may cost.
    """
    server = _Server(routes, token, limits or Limits())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="postdeploy-serving", daemon=True)
    thread.start()
    try:
        yield _url(*asyncio.run_coroutine_threadsafe(server.listen(host, port), loop).result())
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server:
    """The listening socket and its connections, all on one event loop."""

    def __init__(self, routes: Routes, token: str | None, limits: Limits) -> None:
        self._routes = routes
        self._token = token
        self._limits = limits
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[object], Connection] = {}

    async def listen(self, host: str, port: int) -> tuple[str, int]:
        """Begin; returns the address."""
        self._server = await asyncio.start_server(self._accept, host, port)
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    async def close(self) -> None:
        """Take nothing new, let those that have asked take their answer, and end."""
        if self._server is not None:
            self._server.close()
        for task, connection in self._connections.items():
            connection.last = True
            if not connection.busy:
                task.cancel()
        tasks = list(self._connections)
        if tasks:
            _, slow = await asyncio.wait(tasks, timeout=_CLOSING)
            for task in slow:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - what runs on a loop is a task
            raise AssertionError
        connection = Connection(reader, writer, self._limits)
        full = len(self._connections) >= self._limits.connections
        connection.last = full
        self._connections[task] = connection
        try:
            with suppress(asyncio.CancelledError):  # the server ends; asyncio of Python 3.11 would tell of an error
                await connection.run(_busy if full else self._answer)
        finally:
            writer.close()
            del self._connections[task]

    async def _answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        route = self._routes.get(request.path)
        if route is None:
            return json_response(404, {"error": "no such path", "paths": sorted(self._routes)})
        if not route.public and not self._knows(headers.get("authorization", "")):
            return json_response(401, {"error": "a token is needed"}, www_authenticate="Bearer")
        if not route.allows(request.method):
            return json_response(405, {"error": "no such method"}, allow=", ".join(route.methods))
        return await self._handled(route, request)

    async def _handled(self, route: Route, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._limits.answer):
                return await asyncio.to_thread(route.handler, request)
        except BadRequestError as error:
            return json_response(400, {"error": str(error)})
        except TimeoutError:
            return json_response(503, {"error": "the answer took too long"})
        except Exception as error:  # noqa: BLE001  # a handler that breaks takes no other client with it
            return json_response(500, {"error": f"the answer broke: {type(error).__name__}"})

    def _knows(self, given: str) -> bool:
        """Whether the token was given; comparing takes as long for a wrong one."""
        if self._token is None:
            return True
        scheme, _, token = given.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token.encode())


async def _busy(_request: Request, _headers: Mapping[str, str]) -> Response:
    return json_response(503, {"error": "too many connections"})
