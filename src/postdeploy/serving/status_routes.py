"""The status page of a target, as people open it in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from postdeploy.errors import HistoryError
from postdeploy.serving.refreshed import BusyError
from postdeploy.serving.remembered import EVERY, Pages, Remembered
from postdeploy.serving.route import Request, Response, Route, Routes, json_response, query_of

__all__ = ["status_routes"]

_HTML: Final = "text/html; charset=utf-8"
_AWAY: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Status: not known</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
main {{ max-width: 40rem; margin: 15vh auto; padding: 0 1rem }}
</style>
<main>
<h1>The status is not known at the moment</h1>
<p>{why} This says nothing about whether the service works. Try again in {seconds} seconds.</p>
</main>
</html>
"""


def status_routes(remembered: Remembered) -> Routes:
    """By path: ``/status`` has the page, ``/status.json`` the same for programs, ``/`` leads to the page."""
    return {
        "/": Route(lambda request: _answered(request, _elsewhere)),
        "/status": Route(lambda request: _answered(request, lambda: _page(remembered))),
        "/status.json": Route(lambda request: _answered(request, lambda: _json(remembered))),
    }


def _answered(request: Request, answer: Callable[[], Response]) -> Response:
    query_of(request, ())  # nothing can be asked for: whoever does is told so
    return answer()


def _elsewhere() -> Response:
    return Response(302, b"", headers={"location": "/status"})


def _page(remembered: Remembered) -> Response:
    pages, why = _asked(remembered)
    if pages is not None:
        return Response(200, pages[0], _HTML)
    body = _AWAY.format(why=why, seconds=int(EVERY)).encode()
    return Response(503, body, _HTML, {"retry-after": str(int(EVERY))})


def _json(remembered: Remembered) -> Response:
    pages, why = _asked(remembered)
    return Response(200, pages[1]) if pages else json_response(503, {"error": why}, retry_after=str(int(EVERY)))


def _asked(remembered: Remembered) -> tuple[Pages | None, str]:
    """The pages, or why there are none; what a database says of itself is for nobody who may ask."""
    try:
        return remembered.pages.get(), ""
    except BusyError:
        return None, "The history is being read."
    except HistoryError:
        return None, "The history cannot be read."
