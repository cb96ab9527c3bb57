"""What a resident monitor answers: how it is, from what it has written down."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from postdeploy.errors import DocumentError
from postdeploy.serving.route import Request, Response, Route, Routes, json_response
from postdeploy.watching.facts import read_watch

__all__ = ["watch_routes"]

_PLAIN: Final = "text/plain; charset=utf-8"


def watch_routes(reports: Path) -> Routes:
    """By path: ``/watch`` has the facts of the monitor that writes to this folder."""
    return {
        "/watch": Route(lambda _request: _facts(reports)),
        "/livez": Route(_well, public=True),
        "/readyz": Route(_well, public=True),
    }


def _facts(reports: Path) -> Response:
    try:
        return json_response(200, read_watch(reports).to_json())
    except DocumentError as error:
        return json_response(503, {"error": str(error)})


def _well(_request: Request) -> Response:
    return Response(200, b"ok\n", _PLAIN)
