"""Keeping requests that are not allowed from leaving the browser, in both of Playwright's APIs.

Hosts are the fence's business: its proxy lets nothing through to others. Where a target is read-only, every request is
also asked about before it leaves; elsewhere what the proxy refuses is only noted, which costs next to nothing.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from postdeploy.browser.task import Allowed
from postdeploy.browser.watch import Watch

if TYPE_CHECKING:
    from playwright import async_api, sync_api

__all__ = ["close_side_doors", "refuse_async", "refuse_sync"]

_EVERYTHING: Final = re.compile("")
_BLOCKED: Final = "blockedbyclient"


async def refuse_async(
    context: async_api.BrowserContext, allowed: Allowed, watch: Watch, *, routed: bool = True
) -> None:
    """Abort the requests and WebSockets of a context that are not allowed, and note why; ``routed``: see above."""

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

    _note(context, allowed, watch, routed=routed)
    if routed:
        await context.route(_EVERYTHING, on_request)
        await context.route_web_socket(_EVERYTHING, on_socket)
        await context.add_init_script(close_side_doors())


def refuse_sync(context: sync_api.BrowserContext, allowed: Allowed, watch: Watch, *, routed: bool = True) -> None:
    """Do the same for a context of a Python test."""

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

    _note(context, allowed, watch, routed=routed)
    if routed:
        context.route(_EVERYTHING, on_request)
        context.route_web_socket(_EVERYTHING, on_socket)
        context.add_init_script(close_side_doors())


@cache
def close_side_doors() -> str:
    """What pages could send by ways that routes do not see."""
    return (files("postdeploy.browser") / "side_doors.js").read_text(encoding="utf-8")


def _note(
    context: async_api.BrowserContext | sync_api.BrowserContext, allowed: Allowed, watch: Watch, *, routed: bool
) -> None:
    """Tell of what the proxy refuses: everything, or where routes are only what a redirect sends elsewhere."""

    def on_request(request: Any) -> None:
        reason = allowed(request.method, request.url) if not routed or request.redirected_from is not None else None
        if reason is not None:
            watch.refuse(request, f"{reason} (sent by a redirect)" if routed else reason)

    def on_socket(socket: Any) -> None:
        reason = allowed("GET", socket.url)
        if reason is not None:
            watch.refuse_socket(socket.url, reason)

    events: Any = context
    events.on("request", on_request)
    if not routed:
        events.on("page", lambda page: page.on("websocket", on_socket))
