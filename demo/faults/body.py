"""The API answers 200, and the body is not what it should be."""

from __future__ import annotations

import functools
import gzip
import json

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from demo.app import API
from demo.envelope import success
from demo.faults.base import ApiFault, Fault, Proceed, whole_number

_LOGIN_PAGE = "<!doctype html><title>Sign in</title><h1>Sign in</h1><form><input name=user></form>"
_MEGABYTE = 1024 * 1024


class HtmlInsteadOfJson(ApiFault):
    """Every API answer is a login page with status 200."""

    name = "html-instead-of-json"

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        return HTMLResponse(_LOGIN_PAGE)


class InvalidJson(ApiFault):
    """API answers say application/json, but their last character is missing."""

    name = "invalid-json"

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        return _with_body(response, bytes(response.body)[:-1])


class NotANumber(Fault):
    """The page totals of API lists are NaN, which JSON does not have."""

    name = "nan-json"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        if b'"page":' not in bytes(response.body):
            return response
        content = json.loads(bytes(response.body))
        content["page"]["total"] = float("nan")
        return _with_body(response, json.dumps(content).encode())


class SchemaDrift(Fault):
    """Agents have a `title` where the contract says `name`."""

    name = "schema-drift"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        if not request.scope["path"].startswith(f"{API}/agents"):
            return response
        return _with_body(response, bytes(response.body).replace(b'"name":', b'"title":'))


class NoAgents(Fault):
    """The list of agents is empty, with status 200."""

    name = "empty-agents"

    @override
    async def around(self, request: Request, proceed: Proceed) -> Response:
        if request.scope["path"] == f"{API}/agents":
            return success([], page={"total": 0, "limit": 20, "offset": 0, "next": None})
        return await proceed(request)


class TruncatedBody(ApiFault):
    """API answers break off in the middle of their body."""

    name = "truncated-body"

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        return _Truncated(await proceed(request))


class _Truncated(Response):
    def __init__(self, whole: Response) -> None:
        super().__init__(status_code=whole.status_code)
        self.body, self.raw_headers = whole.body, whole.raw_headers

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        half = bytes(self.body)[: len(self.body) // 2]
        # Never finished: the server closes the connection when this returns.
        await send({"type": "http.response.body", "body": half, "more_body": True})


class HugeBody(ApiFault):
    """API answers are padded to many megabytes (20)."""

    name = "huge-body"
    value = "MB"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._size = whole_number(self.name, value, 20) * _MEGABYTE

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        response = await proceed(request)
        return _with_body(response, bytes(response.body) + b" " * self._size)


class GzipBomb(ApiFault):
    """API answers are small on the wire and unpack to many megabytes (100)."""

    name = "gzip-bomb"
    value = "MB"

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self._megabytes = whole_number(self.name, value, 100)

    @override
    async def api(self, request: Request, proceed: Proceed) -> Response:
        response = _with_body(await proceed(request), _bomb(self._megabytes))
        response.headers["content-encoding"] = "gzip"
        return response


@functools.cache
def _bomb(megabytes: int) -> bytes:
    megabyte = gzip.compress(b" " * _MEGABYTE)
    # Gzip members may follow each other, so one megabyte is compressed once only.
    return megabyte * megabytes


def _with_body(response: Response, body: bytes) -> Response:
    response.body = body
    response.headers["content-length"] = str(len(body))
    return response


FAULTS: tuple[type[Fault], ...] = (
    HtmlInsteadOfJson,
    InvalidJson,
    NotANumber,
    SchemaDrift,
    NoAgents,
    TruncatedBody,
    HugeBody,
    GzipBomb,
)
