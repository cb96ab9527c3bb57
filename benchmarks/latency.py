"""What a check reads on its clock when 50 are in flight and the truth is 50 ms."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.measure import Sample, measure
from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Finding, Table, spread

__all__ = ["latency"]

_COUNT: Final = 600
_IN_FLIGHT: Final = 50


def latency(place: Place) -> Iterator[Table]:
    """600 checks, their durations as the verdict tells them."""
    folder = declared(place.folder / f"declared-{_COUNT}", place.port, checks=_COUNT)
    floor = place.script("raw sockets", "floor.py", place.port, _COUNT, _IN_FLIGHT)
    peer = place.script("httpx2, asynchronous", "async_client.py", place.port, _COUNT, _IN_FLIGHT)
    ours = place.ours("postdeploy, duration of an attempt", folder)
    phases = "postdeploy, sum of an attempt's phases"
    read: dict[str, list[list[float]]] = {name: [] for name in (floor.name, ours.name, phases, peer.name)}
    for _ in range(place.rounds(7)):
        for script in (floor, peer):
            read[script.name].append(_printed(measure(script)))
        measure(ours)
        attempts = list(_attempts(folder))
        read[ours.name].append([float(attempt["duration"]) for attempt in attempts])
        read[phases].append([sum(attempt["phases"].values()) for attempt in attempts])
    rows = [(name, *(_cell(runs, share) for share in (0.5, 0.95, 1.0))) for name, runs in read.items()]
    table = Table(f"What a 50 ms answer measures, {_IN_FLIGHT} in flight, {_COUNT} checks", _HEADER, rows)
    for name in (ours.name, phases):
        table.findings += [_goal(name, read[name], 0.5, 55), _goal(name, read[name], 0.95, 65)]
    yield table


_HEADER: Final = ("measured by", "p50 ms", "p95 ms", "max ms")


def _printed(sample: Sample) -> list[float]:
    return [float(value) for value in json.loads(sample.output)]


def _attempts(folder: Path) -> Iterator[dict[str, Any]]:
    verdict = json.loads((folder / "reports" / "verdict.json").read_bytes())
    for check in verdict["checks"]:
        yield from check["attempts"]


def _quantile(values: Sequence[float], share: float) -> float:
    return 1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _cell(runs: Sequence[Sequence[float]], share: float) -> str:
    return spread([_quantile(values, share) for values in runs], "{:.0f}")


def _goal(name: str, runs: Sequence[Sequence[float]], share: float, limit: float) -> Finding:
    values = [_quantile(values, share) for values in runs]
    return Finding(
        f"{name}: p{share * 100:.0f} at most {limit:.0f} ms", spread(values, "{:.1f}", " ms"), median(values) <= limit
    )
