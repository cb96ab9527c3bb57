"""The one shape in which the API answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

NO_STORE = {"cache-control": "no-store"}

Endpoint = Callable[[Request], Awaitable[Response]]


class ApiError(Exception):
    """Ends a request with a status and the error envelope."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.headers = headers

    def response(self) -> JSONResponse:
        """Return the answer that tells the client about this error."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.fields:
            error["fields"] = dict(self.fields)
        headers = {**NO_STORE, **(self.headers or {})}
        return JSONResponse({"success": False, "error": error}, self.status, headers)


def success(data: Any, status: int = 200, *, headers: Mapping[str, str] | None = None, **beside: Any) -> JSONResponse:
    """Return the answer of a request that worked; `beside` stands next to `data` in the envelope."""
    content = {"success": True, "data": data, **beside}
    return JSONResponse(content, status, {**NO_STORE, **(headers or {})})


def by_method(endpoints: Mapping[str, Endpoint]) -> Endpoint:
    """Return one endpoint that serves several methods, so that 405 can name them all."""

    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await endpoints[method](request)

    return endpoint
