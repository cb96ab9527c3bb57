"""What a server answers where: requests, responses and routes, without a socket in sight."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["BadRequestError", "Handler", "Request", "Response", "Route", "Routes", "json_response", "query_of"]

_JSON: Final = "application/json"


class BadRequestError(Exception):
    """The request cannot be understood; the message is one sentence for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked; ``query`` is the text after the question mark, ``body`` is whole."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    status: int
    body: bytes
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A path's handler, which runs on a thread and may raise BadRequestError.

    Args:
        handler: gives the response.
        methods: what may be asked; GET brings HEAD with it.
        public: answered without the token, too.
    """

    handler: Handler
    methods: tuple[str, ...] = ("GET",)
    public: bool = False

    def allows(self, method: str) -> bool:
        """Whether this method may be used."""
        return method in self.methods or (method == "HEAD" and "GET" in self.methods)


Routes = Mapping[str, Route]
"""By path, which is compared as it was sent."""


def json_response(status: int, content: Mapping[str, Any], **headers: str) -> Response:
    """A JSON document in ASCII; underscores in the names of headers are dashes."""
    body = json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
    return Response(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def query_of(request: Request, known: tuple[str, ...]) -> dict[str, str]:
    """The parameters of a query, each once and none but the known ones. Raises BadRequestError."""
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, strict_parsing=bool(request.query), max_num_fields=16)
    except ValueError as error:
        raise BadRequestError(f"the query cannot be read: {error}") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequestError("a parameter stands twice in the query")
    if found.keys() - known:
        unknown = ", ".join(sorted(found.keys() - known))
        raise BadRequestError(f"unknown parameter {unknown!a}; known: {', '.join(known)}")
    return found
