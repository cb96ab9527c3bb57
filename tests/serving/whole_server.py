"""A server that has something to say in every metric: a proven run, a history, a resident monitor, its alerts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from postdeploy.domain.retention import Retention
from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from postdeploy.history.writing import write_run
from postdeploy.serving.metrics_route import metrics_route
from postdeploy.serving.monitor_metrics import monitor_families
from postdeploy.serving.remembered import Remembered
from postdeploy.serving.route import Request
from postdeploy.standing import Judge
from tests.domain.builders import attempt
from tests.history.memories import NOW, run
from tests.sealed import FINISHED, PASSED, demand, seal

__all__ = ["ALERTS", "WATCH", "whole_text"]

WATCH = {
    "schema": "postdeploy/watch/1", "target": "staging", "every": 60.0, "runs": 41, "missed": 2, "lost": 1,
    "due": 1_900_000_060.5, "updated": 1_900_000_000.25, "last": {"duration": 7.5, "cpu": 1.25},
}  # fmt: skip
ALERTS = {
    "schema": "postdeploy/monitor/1", "target": "staging", "alerts": [{"kind": "outage"}], "untold": 3,
    "mutes": [{"reason": "maintenance", "until": None}],
}  # fmt: skip


def whole_text(folder: Path) -> bytes:
    """What is scraped."""
    seen = attempt(phases={"dns": 0.1, "connect": 0.2}, expires=1_900_000_000.0)
    results = {name: replace(result, attempts=(seen,)) for name, result in PASSED.results.items()}
    path = seal(folder, replace(PASSED, results=results))
    place = Place(file=folder / "history.sqlite3")
    history = open_database(place, create=True)
    write_run(history, run("r1"), Retention(), now=NOW)
    history.close()
    (folder / "watch.json").write_text(json.dumps(WATCH))
    (folder / "monitor.json").write_text(json.dumps(ALERTS))
    remembered = Remembered(place, "staging", wall=lambda: NOW, clock=lambda: 0.0)
    judge = Judge(path, demand(), lambda: FINISHED)
    route = metrics_route(judge, lambda: monitor_families(folder, "staging", remembered.objective.get))
    return route.handler(Request("GET", "/metrics")).body
