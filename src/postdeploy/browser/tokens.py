"""Credentials that pages are given while Playwright drives them: answers to POST as they come, and what is kept."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from postdeploy.domain.redaction import Redactor
from postdeploy.domain.tokens import cookies, issued, kept

if TYPE_CHECKING:
    from playwright import async_api, sync_api

__all__ = ["learn_async", "learn_cookies", "learn_sync"]

_LONGEST: Final = 1 << 20


def learn_sync(context: sync_api.BrowserContext, redactor: Redactor) -> None:
    """Learn what answers to POST hand out, on receipt."""

    def on_finished(request: sync_api.Request) -> None:
        with contextlib.suppress(Exception):  # the context may be gone by now
            response = request.response() if request.method == "POST" else None
            if response is not None:
                headers = [(header["name"], header["value"]) for header in response.headers_array()]
                _hear(headers, response.body() if _may_tell(headers) else b"", redactor)

    context.on("requestfinished", on_finished)


def learn_async(context: async_api.BrowserContext, redactor: Redactor) -> None:
    """Do the same for a declared page."""

    async def on_finished(request: async_api.Request) -> None:
        with contextlib.suppress(Exception):  # the context may be gone by now
            response = await request.response() if request.method == "POST" else None
            if response is not None:
                headers = [(header["name"], header["value"]) for header in await response.headers_array()]
                _hear(headers, await response.body() if _may_tell(headers) else b"", redactor)

    context.on("requestfinished", on_finished)


def learn_cookies(context: sync_api.BrowserContext, redactor: Redactor) -> None:
    """Learn the cookies that a context has by now, by their names."""
    with contextlib.suppress(Exception):  # the browser may be gone
        known: list[Any] = context.cookies()
        for secret in kept((cookie["name"], cookie["value"]) for cookie in known):
            redactor.learn(secret)


def _may_tell(headers: list[tuple[str, str]]) -> bool:
    """Whether it is JSON of a size that a login answers with."""
    told = {name.lower(): value for name, value in headers}
    length = told.get("content-length", "0")
    return "json" in told.get("content-type", "") and length.isdecimal() and int(length) <= _LONGEST


def _hear(headers: list[tuple[str, str]], body: bytes, redactor: Redactor) -> None:
    for secret in (*issued("POST", headers, body), *kept(cookies(headers))):
        redactor.learn(secret)
