"""The page is right, but how it is delivered is not."""

from __future__ import annotations

import hashlib
import re

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from typing_extensions import override

from demo.assets import PREFIX
from demo.faults.base import Fault, Proceed

_HASHED = re.compile(rb"(/assets/[\w.]+-)([0-9a-f]{10})")
_SECURITY = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options")


class MissingAsset(Fault):
    """One file that the page refers to is a 404 (brand)."""

    name = "missing-asset"
    value = "NAME"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._start = f"{PREFIX}{value or 'brand'}-"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        if request.scope["path"].startswith(self._start):
            return PlainTextResponse("no such asset", 404)
        return await proceed(request)


class WrongContentTypeAsset(Fault):
    """The page's script is served as text/html, so browsers refuse it."""

    name = "wrong-content-type-asset"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        if request.scope["path"].startswith(f"{PREFIX}main-"):
            response.headers["content-type"] = "text/html; charset=utf-8"
        return response


class OldAssets(Fault):
    """A stale page refers to the files of the release before, which are gone."""

    name = "old-assets"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        if request.scope["path"] == "/":
            response.body = _HASHED.sub(_former, bytes(response.body))
        return response


class CachedPage(Fault):
    """The page may be cached for a day, so a rollback would not reach people."""

    name = "cached-page"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        if request.scope["path"] == "/":
            response.headers["cache-control"] = "public, max-age=86400"
        return response


class CachedHealth(Fault):
    """Healthz and build-info may be cached, so they prove nothing."""

    name = "cached-health"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        if request.scope["path"].endswith(("/healthz", "/build-info.json")):
            response.headers["cache-control"] = "public, max-age=600"
            response.headers["age"] = "421"
        return response


class NoSecurityHeaders(Fault):
    """Answers carry none of the security headers."""

    name = "no-security-headers"

    @override
    def finish(self, response: Response) -> None:
        for name in _SECURITY:
            if name in response.headers:
                del response.headers[name]


def _former(match: re.Match[bytes]) -> bytes:
    return match[1] + hashlib.sha256(match[2]).hexdigest()[:10].encode()


FAULTS: tuple[type[Fault], ...] = (
    MissingAsset,
    WrongContentTypeAsset,
    OldAssets,
    CachedPage,
    CachedHealth,
    NoSecurityHeaders,
)
