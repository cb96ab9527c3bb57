"""The routes of one release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from demo import agents, health, openapi
from demo.assets import PREFIX, Bundle
from demo.chat import Chat
from demo.conversations import Conversations
from demo.envelope import NO_STORE, ApiError, by_method, success
from demo.pages import Pages
from demo.release import claimed
from demo.sessions import Sessions
from demo.store import Store

API = "/api/v1"
_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


@dataclass(frozen=True, slots=True)
class State:
    """What all releases share, as they would share a database."""

    store: Store = field(default_factory=Store)
    sessions: Sessions = field(default_factory=Sessions)
    chat: Chat = field(default_factory=Chat)

    def clear(self) -> None:
        """Forget every conversation and session."""
        self.store.clear()
        self.sessions.clear()


def is_api(path: str) -> bool:
    """Say whether a path belongs to the API, its root included."""
    return path == API or path.startswith(f"{API}/")


def build_app(state: State, bundle: Callable[[], Bundle]) -> Starlette:
    """Return the ASGI application of one release."""
    pages = Pages(bundle)
    routes = [
        Route("/", pages.editor),
        Route("/favicon.ico", pages.favicon),
        Route(f"{PREFIX}{{name:path}}", pages.asset),
        Route("/build-info.json", health.build_info),
        Route("/openapi.json", _openapi),
        Route(API, _root),
        Mount(API, routes=_api_routes(state)),
        *_health_routes(),
        _chat_route(state),
    ]
    errors = {HTTPException: _http_error, ApiError: _api_error, Exception: _unexpected}
    return Starlette(routes=routes, exception_handlers=errors)


def _api_routes(state: State) -> list[Route | WebSocketRoute]:
    conversations = Conversations(state.store, state.sessions)
    lists = by_method({"GET": conversations.list, "POST": conversations.create})
    single = by_method({"GET": conversations.get, "DELETE": conversations.delete})
    messages = by_method({"GET": conversations.messages, "POST": conversations.say})
    return [
        Route("/", _root),
        Route("/auth/login", state.sessions.login, methods=["POST"]),
        Route("/auth/logout", state.sessions.logout, methods=["POST"]),
        Route("/agents", agents.list_agents),
        Route("/agents/{id}", agents.get_agent),
        Route("/conversations", lists, methods=["GET", "POST"]),
        Route("/conversations/{id}", single, methods=["GET", "DELETE"]),
        Route("/conversations/{id}/messages", messages, methods=["GET", "POST"]),
        *_health_routes(),
        _chat_route(state),
    ]


def _health_routes() -> list[Route]:
    return [Route("/healthz", health.healthz), Route("/readyz", health.readyz)]


def _chat_route(state: State) -> WebSocketRoute:
    return WebSocketRoute("/ws/chat/{id}", state.chat.connect)


async def _root(request: Request) -> Response:
    about = {"name": "TalkStudio API", "version": claimed(request).version, "documentation": "/openapi.json"}
    return success(about)


async def _openapi(request: Request) -> Response:
    return JSONResponse(openapi.document(claimed(request).version), headers={"cache-control": "no-cache"})


async def _http_error(request: Request, exception: Exception) -> Response:
    error = cast("HTTPException", exception)
    if is_api(request.url.path):
        code = _CODES.get(error.status_code, "ERROR")
        return ApiError(error.status_code, code, error.detail, headers=error.headers).response()
    return PlainTextResponse(error.detail, error.status_code, {**NO_STORE, **(error.headers or {})})


async def _api_error(_request: Request, error: Exception) -> Response:
    return cast("ApiError", error).response()


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return ApiError(500, "INTERNAL", "something went wrong").response()
