"""Reading a JSON body field by field, collecting every error before answering 422."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from starlette.requests import Request

from demo.envelope import ApiError

BODY_LIMIT = 64 * 1024
_REQUIRED = "is required"


async def read_object(request: Request) -> Fields:
    """Return the fields of the request's JSON object, or raise the fitting ApiError."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "send application/json")
    try:
        content = json.loads(await _bounded_body(request))
    except ValueError as error:
        raise ApiError(400, "INVALID_JSON", f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise invalid({"body": "must be an object"})
    return Fields(content)


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise ApiError(413, "BODY_TOO_LARGE", f"the body may have {BODY_LIMIT} bytes")
    return bytes(body)


def invalid(fields: dict[str, str]) -> ApiError:
    """Return the error that names what is wrong with each field."""
    return ApiError(422, "VALIDATION_FAILED", "some fields are not valid", fields=fields)


class Fields:
    """The fields of one JSON object and what was wrong with them so far."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content
        self._errors: dict[str, str] = {}

    def text(self, name: str, *, longest: int, default: str | None = None) -> str:
        """Return a text of at most `longest` characters; without a default it is required."""
        value = self._content.get(name, default)
        if value is None:
            return self._wrong(name, _REQUIRED)
        if not isinstance(value, str):
            return self._wrong(name, "must be a text")
        if default is None and not value.strip():
            return self._wrong(name, "must not be empty")
        if len(value) > longest:
            return self._wrong(name, f"must have at most {longest} characters")
        return value

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """Return one of the choices."""
        value = self._content.get(name, default)
        if value is None:
            return self._wrong(name, _REQUIRED)
        if value not in choices:
            return self._wrong(name, f"must be one of {', '.join(choices)}")
        return str(value)

    def matching(self, name: str, pattern: re.Pattern[str], description: str) -> str:
        """Return a text that fits the pattern, or an empty one when the field is absent."""
        value = self._content.get(name, "")
        if value != "" and (not isinstance(value, str) or not pattern.fullmatch(value)):
            return self._wrong(name, f"must be {description}")
        return str(value)

    def check(self) -> None:
        """Raise one 422 with everything that was wrong."""
        if self._errors:
            raise invalid(self._errors)

    def _wrong(self, name: str, message: str) -> str:
        self._errors[name] = message
        return ""
