"""Keeping requests that are not allowed from leaving the browser, in both of Playwright's APIs.

Hosts are the fence's business: its proxy lets nothing through to others. Where a target is read-only, every request is
also asked about before it leaves; elsewhere what the proxy refuses is only noted, which costs next to nothing.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from postdeploy.browser.toll import Rules, Toll
from postdeploy.browser.watch import Watch

if TYPE_CHECKING:
    from playwright import async_api, sync_api

__all__ = ["close_side_doors", "refuse_async", "refuse_sync", "sleeper"]

_EVERYTHING: Final = re.compile("")
_BLOCKED: Final = "blockedbyclient"


async def refuse_async(context: async_api.BrowserContext, rules: Rules, watch: Watch) -> None:
    """Abort the requests and WebSockets of a context that are not allowed, and note why; hold those that must wait."""
    toll = Toll(rules)

    async def on_request(route: async_api.Route, request: async_api.Request) -> None:
        reason = await rules.judge(request.method, request.url)
        if reason is None:
            toll.let_go(request)
            await route.continue_()
        else:
            watch.refuse(request, reason)
            await route.abort(_BLOCKED)

    async def on_socket(socket: async_api.WebSocketRoute) -> None:
        reason = await rules.judge("GET", socket.url)
        if reason is None:
            toll.opened(socket.url)
            socket.connect_to_server()
        else:
            watch.refuse_socket(socket.url, reason)
            await socket.close(code=1008, reason="refused")

    _note(context, rules, watch, toll, toll.finished_async)
    if rules.routed:
        await context.route(_EVERYTHING, on_request)
        await context.route_web_socket(_EVERYTHING, on_socket)
        if rules.sealed:
            await context.add_init_script(close_side_doors())


def refuse_sync(context: sync_api.BrowserContext, rules: Rules, watch: Watch) -> None:
    """Do the same for a context of a Python test."""
    toll, sleep = Toll(rules), sleeper(context)

    def on_request(route: sync_api.Route, request: sync_api.Request) -> None:
        reason = rules.judge_by(sleep, request.method, request.url)
        if reason is None:
            toll.let_go(request)
            route.continue_()
        else:
            watch.refuse(request, reason)
            route.abort(_BLOCKED)

    def on_socket(socket: sync_api.WebSocketRoute) -> None:
        reason = rules.judge_by(sleep, "GET", socket.url)
        if reason is None:
            toll.opened(socket.url)
            socket.connect_to_server()
        else:
            watch.refuse_socket(socket.url, reason)
            socket.close(code=1008, reason="refused")

    _note(context, rules, watch, toll, toll.finished_sync)
    if rules.routed:
        context.route(_EVERYTHING, on_request)
        context.route_web_socket(_EVERYTHING, on_socket)
        if rules.sealed:
            context.add_init_script(close_side_doors())


def sleeper(context: sync_api.BrowserContext) -> Callable[[float], None]:
    """A way to sleep in which the events of this context are still heard: the end of a request makes room for one."""

    def sleep(seconds: float) -> None:
        for page in context.pages[:1]:
            with contextlib.suppress(Exception):  # it was closed meanwhile
                page.wait_for_timeout(1000 * seconds)
                return
        time.sleep(seconds)

    return sleep


@cache
def close_side_doors() -> str:
    """What pages could send by ways that routes do not see."""
    return (files("postdeploy.browser") / "side_doors.js").read_text(encoding="utf-8")


def _note(
    context: async_api.BrowserContext | sync_api.BrowserContext,
    rules: Rules,
    watch: Watch,
    toll: Toll,
    finished: Callable[[Any], object],
) -> None:
    """Tell of what the proxy refuses, and count what it does not see: where requests are routed, only redirects."""

    def on_request(request: Any) -> None:
        if rules.routed and request.redirected_from is None:
            return
        reason = rules.allowed(request.method, request.url)
        if reason is not None:
            watch.refuse(request, f"{reason} (sent by a redirect)" if rules.routed else reason)
        else:
            toll.note(request)

    def on_socket(socket: Any) -> None:
        reason = rules.allowed("GET", socket.url)
        if reason is not None:
            watch.refuse_socket(socket.url, reason)
        else:
            toll.note_socket(socket.url)

    events: Any = context
    events.on("request", on_request)
    if rules.pace is not None:
        events.on("response", toll.answered)
        events.on("requestfinished", finished)
        events.on("requestfailed", toll.ended)
        events.on("close", lambda _context: toll.close())
    if not rules.routed:
        events.on("page", lambda page: page.on("websocket", on_socket))
