"""The editor page and its files."""

from __future__ import annotations

import html
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from demo.assets import Bundle, cached, etag_of
from demo.release import claimed

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Pages:
    """Serves whatever bundle the slot has at the moment."""

    def __init__(self, bundle: Callable[[], Bundle]) -> None:
        self._bundle = bundle

    async def editor(self, request: Request) -> Response:
        """Answer GET / with the editor."""
        release = claimed(request)
        page = self._bundle().page
        page = page.replace("{{version}}", html.escape(release.version))
        body = page.replace("{{commit}}", html.escape(release.commit)).encode()
        headers = {
            "cache-control": "no-cache",
            "etag": etag_of(body),
            "content-security-policy": CONTENT_SECURITY_POLICY,
        }
        return cached(request, HTMLResponse(body, headers=headers))

    async def asset(self, request: Request) -> Response:
        """Answer GET /assets/NAME; an unknown name is 404, never the page."""
        asset = self._bundle().get(request.url.path)
        if asset is None:
            raise HTTPException(404, "no such asset", {"cache-control": "no-store"})
        return cached(request, asset.response())

    async def favicon(self, _request: Request) -> Response:
        """Answer the address that browsers guess with the real icon."""
        return RedirectResponse(self._bundle().paths()["favicon.svg"], 302, {"cache-control": "no-cache"})
