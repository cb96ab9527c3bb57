"""The API fails, or says too much, or says it too late."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from typing_extensions import override

from demo.app import API
from demo.envelope import NO_STORE, ApiError
from demo.faults.base import ApiFault, Fault, FaultError, Proceed, whole_number
from demo.release import claimed

_HEALTH = ("/healthz", "/readyz")


class Api500(ApiFault):
    """Every API answer is a 500, except logging in and the health routes."""

    name = "api-500"
    spares = ("/auth/", *_HEALTH)

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        return ApiError(500, "INTERNAL", "something went wrong").response()


class SlowApi(ApiFault):
    """Every API answer takes longer (1500 ms)."""

    name = "slow-api"
    value = "MS"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._seconds = whole_number(self.name, value, 1500) / 1000

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        await asyncio.sleep(self._seconds)
        return await proceed(request)


class DatabaseDown(Fault):
    """Healthz says degraded, readyz is 503, the whole API is 503 DB_UNAVAILABLE."""

    name = "db-down"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        path = request.scope["path"]
        if path == "/healthz":
            degraded = {"status": "degraded", "db": "down", "release": claimed(request).commit}
            return JSONResponse(degraded, 200, NO_STORE)
        if path == "/readyz":
            return JSONResponse({"ready": False, "reason": "database"}, 503, NO_STORE)
        if path.startswith(API):
            return ApiError(503, "DB_UNAVAILABLE", "the database does not answer").response()
        return await proceed(request)


class Shaky(ApiFault):
    """The first request to each API path is a 503; COUNT more than one, or a RATE like 0.25 at random."""

    name = "shaky"
    value = "COUNT|RATE"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._rate = _rate(value) if "." in value else None
        self._count = 1 if self._rate is not None else whole_number(self.name, value, 1)
        self._random = random.Random(1)
        self._asked: Counter[str] = Counter()

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        if self._concerns(request) and self._fails(request.scope["path"]):
            return ApiError(503, "UNAVAILABLE", "try again").response()
        return await proceed(request)

    def _concerns(self, _request: Request) -> bool:
        return True

    def _fails(self, path: str) -> bool:
        if self._rate is not None:
            return self._random.random() < self._rate
        self._asked[path] += 1
        return self._asked[path] <= self._count


class Flaky(Shaky):
    """The first request for the list of agents is a 503; COUNT more than one, or a RATE like 0.25 at random."""

    name = "flaky"

    @override
    def _concerns(self, request: Request) -> bool:
        path: str = request.scope["path"]
        return path.removeprefix(API) == "/agents"


class RateLimited(ApiFault):
    """Every API answer is a 429 with Retry-After (1 s), except the health routes."""

    name = "rate-limited"
    value = "SECONDS"
    spares = _HEALTH

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._wait = str(whole_number(self.name, value, 1))

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        return ApiError(429, "RATE_LIMITED", "slow down", headers={"retry-after": self._wait}).response()


class LoginBroken(Fault):
    """Nobody can log in: right credentials are a 401 too."""

    name = "login-broken"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        if request.scope["path"] == f"{API}/auth/login":
            return ApiError(401, "INVALID_CREDENTIALS", "email or password is wrong").response()
        return await proceed(request)


class AuthOpen(Fault):
    """The list of conversations is served to anybody, without a token."""

    name = "auth-open"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        if request.scope["path"] == f"{API}/conversations" and response.status_code == HTTPStatus.UNAUTHORIZED:
            page = {"total": 0, "limit": 20, "offset": 0, "next": None}
            return JSONResponse({"success": True, "data": [], "page": page}, 200, NO_STORE)
        return response


class WritesLost(Fault):
    """A new conversation is answered with 201, but cannot be found afterwards."""

    name = "writes-lost"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        if request.scope["path"].startswith(f"{API}/conversations/"):
            response = await proceed(request)
            lost = response.status_code in (200, 201)
            error = ApiError(404, "CONVERSATION_NOT_FOUND", "no conversation has this id")
            return error.response() if lost else response
        return await proceed(request)


class LeakyError(ApiFault):
    """API errors of 500 that repeat the caller's credentials and a database address."""

    name = "leaky-error"
    spares = ("/auth/", *_HEALTH)

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        sent = request.headers.get("authorization", "nothing")
        message = f"query failed: postgres://talk:hunter2@db/talk, caller sent {sent}"
        return ApiError(500, "INTERNAL", message, headers={"x-debug-authorization": sent}).response()


def _rate(value: str) -> float:
    try:
        rate = float(value)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise FaultError(f"flaky={value}: the rate must be from 0 to 1")
    return rate


FAULTS: tuple[type[Fault], ...] = (
    Api500,
    SlowApi,
    DatabaseDown,
    Flaky,
    Shaky,
    RateLimited,
    LoginBroken,
    AuthOpen,
    WritesLost,
    LeakyError,
)
