"""Everything that is served about a target, put together."""

from __future__ import annotations

from pathlib import Path

from postdeploy.history.place import Place
from postdeploy.serving.metrics_route import metrics_route
from postdeploy.serving.monitor_metrics import monitor_families
from postdeploy.serving.remembered import Remembered
from postdeploy.serving.route import Routes
from postdeploy.serving.status_routes import status_routes
from postdeploy.serving.verdict_routes import verdict_routes
from postdeploy.standing import Judge

__all__ = ["all_routes"]


def all_routes(judge: Judge, reports: Path, target: str, place: Place | None, wanted: float = 0.999) -> Routes:
    """By path: those of the verdict, ``/metrics``, and where runs are remembered the status page.

    Args:
        judge: of the verdict.
        reports: the folder in which runs and monitors leave what they have to say.
        target: its name.
        place: the history, if there is one.
        wanted: the share of its runs that is to be good.
    """
    remembered = Remembered(place, target, wanted) if place else None
    objective = remembered.objective.get if remembered else None
    return {
        **verdict_routes(judge),
        "/metrics": metrics_route(judge, lambda: monitor_families(reports, target, objective)),
        **(status_routes(remembered) if remembered else {}),
    }
