"""Who may use the protected routes."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response

from demo.envelope import ApiError, success
from demo.fields import read_object

EMAIL = "demo@talkstudio.com"
PASSWORD = "demo-password"
API_TOKEN = "demo-api-token-0001"
LIFETIME_SECONDS = 3600
MOST_TOKENS = 1000


class Sessions:
    """The tokens that are valid now: one fixed, the others from logging in."""

    def __init__(self) -> None:
        self._expiry: OrderedDict[str, float] = OrderedDict()

    async def login(self, request: Request) -> Response:
        """Answer POST /auth/login."""
        fields = await read_object(request)
        email, password = fields.text("email", longest=200), fields.text("password", longest=200)
        fields.check()
        if not (_same(email.lower(), EMAIL) and _same(password, PASSWORD)):
            raise ApiError(401, "INVALID_CREDENTIALS", "email or password is wrong")
        user = {"email": EMAIL, "name": "Demo"}
        data = {"token": self._issue(), "token_type": "Bearer", "expires_in": LIFETIME_SECONDS, "user": user}
        return success(data)

    async def logout(self, request: Request) -> Response:
        """Answer POST /auth/logout; the fixed token stays valid."""
        self._expiry.pop(self.require(request), None)
        return success({"logged_out": True})

    def require(self, request: Request) -> str:
        """Return the request's valid token, or raise 401."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("UNAUTHENTICATED", "send Authorization: Bearer TOKEN")
        if not _same(token, API_TOKEN) and self._expiry.get(token, 0.0) < time.monotonic():
            raise _unauthorized("INVALID_TOKEN", "the token is unknown or has expired")
        return token

    def clear(self) -> None:
        """End every session."""
        self._expiry.clear()

    def _issue(self) -> str:
        token = secrets.token_urlsafe(24)
        self._expiry[token] = time.monotonic() + LIFETIME_SECONDS
        if len(self._expiry) > MOST_TOKENS:
            self._expiry.popitem(last=False)
        return token


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _unauthorized(code: str, message: str) -> ApiError:
    return ApiError(401, code, message, headers={"www-authenticate": "Bearer"})
