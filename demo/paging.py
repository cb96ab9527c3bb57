"""Lists in pieces: `?limit=` and `?offset=`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from demo.envelope import success
from demo.fields import invalid

LIMIT = 20
HIGHEST_LIMIT = 100
_HIGHEST_OFFSET = 1_000_000
_MOST_DIGITS = 7


def page_of(request: Request, documents: Sequence[Any]) -> Response:
    """Answer with the piece of a list that the request asks for."""
    limit = _number(request, "limit", LIMIT, 1, HIGHEST_LIMIT)
    offset = _number(request, "offset", 0, 0, _HIGHEST_OFFSET)
    end = offset + limit
    following = end if end < len(documents) else None
    page = {"total": len(documents), "limit": limit, "offset": offset, "next": following}
    return success(list(documents[offset:end]), page=page)


def _number(request: Request, name: str, default: int, lowest: int, highest: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and lowest <= int(text) <= highest:
        return int(text)
    raise invalid({name: f"must be a whole number from {lowest} to {highest}"})
