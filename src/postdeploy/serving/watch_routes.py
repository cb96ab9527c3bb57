"""What a resident monitor answers: how it is, and how its target is, from what it and its runs have written down."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from postdeploy.demand import Demand
from postdeploy.documents import VERDICT_FILE
from postdeploy.errors import DocumentError
from postdeploy.history.place import Place
from postdeploy.serving.metrics_route import metrics_route
from postdeploy.serving.monitor_metrics import monitor_families
from postdeploy.serving.remembered import Remembered
from postdeploy.serving.route import Request, Response, Route, Routes, json_response
from postdeploy.serving.status_routes import status_routes
from postdeploy.standing import Judge
from postdeploy.watching.facts import read_watch

__all__ = ["watch_routes"]

_PLAIN: Final = "text/plain; charset=utf-8"
_YOUNG: Final = 900.0
_TICKS: Final = 3
"""The last run is told for so many seconds, or so many ticks if they take longer."""


def watch_routes(reports: Path, target: str, every: float, place: Place | None) -> Routes:
    """By path; ``/watch`` has the facts of the monitor that writes to this folder.

    Args:
        reports: the folder.
        target: what is watched.
        every: seconds between two ticks.
        place: where runs are remembered, if they are.
    """
    demand = Demand(target, None, None, max(_YOUNG, _TICKS * every), 0.0)
    judge = Judge(lambda: _last_verdict(reports), demand, time.time)
    remembered = Remembered(place, target) if place else None
    objective = remembered.objective.get if remembered else None
    return {
        "/watch": Route(lambda _request: _facts(reports)),
        "/metrics": metrics_route(judge, lambda: monitor_families(reports, target, objective)),
        **(status_routes(remembered) if remembered else {}),
        "/livez": Route(_well, public=True),
        "/readyz": Route(_well, public=True),
    }


def _last_verdict(reports: Path) -> Path:
    """That of the newest whole run: it stays while the next one is under way. Raises DocumentError if there is none."""
    last = read_watch(reports).last
    if last is None or last.folder is None:
        raise DocumentError("no run is over yet")
    return reports / last.folder / VERDICT_FILE


def _facts(reports: Path) -> Response:
    try:
        return json_response(200, read_watch(reports).to_json())
    except DocumentError as error:
        return json_response(503, {"error": str(error)})


def _well(_request: Request) -> Response:
    return Response(200, b"ok\n", _PLAIN)
