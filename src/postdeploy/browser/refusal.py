"""Keeping requests that are not allowed from leaving the browser, in both of Playwright's APIs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from postdeploy.browser.task import Allowed
from postdeploy.browser.watch import Watch
from postdeploy.errors import GuardRefusalError

if TYPE_CHECKING:
    from playwright import async_api, sync_api

__all__ = ["refuse_async", "refuse_sync"]

_EVERYTHING: Final = re.compile("")
_BLOCKED: Final = "blockedbyclient"
_METHODS: Final = ("delete", "get", "head", "patch", "post", "put")


async def refuse_async(context: async_api.BrowserContext, allowed: Allowed, watch: Watch) -> None:
    """Abort the requests and WebSockets of a context that are not allowed, and note why."""

    async def on_request(route: async_api.Route, request: async_api.Request) -> None:
        reason = allowed(request.method, request.url)
        if reason is None:
            await route.continue_()
        else:
            watch.refuse(request, reason)
            await route.abort(_BLOCKED)

    async def on_socket(socket: async_api.WebSocketRoute) -> None:
        reason = allowed("GET", socket.url)
        if reason is None:
            socket.connect_to_server()
        else:
            watch.refuse_socket(socket.url, reason)
            await socket.close(code=1008, reason="refused")

    _note_redirects(context, allowed, watch)
    await context.route(_EVERYTHING, on_request)
    await context.route_web_socket(_EVERYTHING, on_socket)


def refuse_sync(context: sync_api.BrowserContext, allowed: Allowed, watch: Watch) -> None:
    """Do the same for a context of a Python test, and for its ``context.request``."""

    def on_request(route: sync_api.Route, request: sync_api.Request) -> None:
        reason = allowed(request.method, request.url)
        if reason is None:
            route.continue_()
        else:
            watch.refuse(request, reason)
            route.abort(_BLOCKED)

    def on_socket(socket: sync_api.WebSocketRoute) -> None:
        reason = allowed("GET", socket.url)
        if reason is None:
            socket.connect_to_server()
        else:
            watch.refuse_socket(socket.url, reason)
            socket.close(code=1008, reason="refused")

    _note_redirects(context, allowed, watch)
    context.route(_EVERYTHING, on_request)
    context.route_web_socket(_EVERYTHING, on_socket)
    _refuse_direct(context.request, allowed, watch)


def _note_redirects(
    context: async_api.BrowserContext | sync_api.BrowserContext, allowed: Allowed, watch: Watch
) -> None:
    """Tell of requests that a redirect sends where they may not go: routes do not see these, so they have left."""

    def on_request(request: Any) -> None:
        reason = allowed(request.method, request.url) if request.redirected_from is not None else None
        if reason is not None:
            watch.refuse(request, f"{reason} (sent by a redirect)")

    context.on("request", on_request)


def _refuse_direct(client: sync_api.APIRequestContext, allowed: Allowed, watch: Watch) -> None:
    """Guard the client that sends requests beside the pages, which routes do not see; pages share it."""
    for name in (*_METHODS, "fetch"):
        setattr(client, name, _guarded(getattr(client, name), name, allowed, watch))


def _guarded(send: Callable[..., Any], name: str, allowed: Allowed, watch: Watch) -> Callable[..., Any]:
    @functools.wraps(send)
    def guarded(url_or_request: Any, **options: Any) -> Any:
        url = url_or_request if isinstance(url_or_request, str) else url_or_request.url
        method = options.get("method") or getattr(url_or_request, "method", "GET") if name == "fetch" else name
        reason = allowed(str(method).upper(), url)
        if reason is not None:
            raise GuardRefusalError(reason)
        response = send(url_or_request, **options)
        watch.answered(response.url, response.headers)
        return response

    return guarded
