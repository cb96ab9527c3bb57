"""Percentiles of latency over days as lines of an SVG: coordinates only, of a picture of 1000 by 220."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from postdeploy.history.status import Day
from postdeploy.lazy_dataclass import dataclass

__all__ = ["HEIGHT", "WIDTH", "Chart", "Line", "draw"]

WIDTH, HEIGHT = 1000, 220


@dataclass(frozen=True, slots=True)
class Line:
    """One percentile: its name and the points of its parts, for days without runs leave gaps."""

    name: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """``grid`` are heights with their seconds, ``marks`` the places of days with releases, by their names."""

    lines: tuple[Line, ...]
    grid: tuple[tuple[float, float], ...]
    marks: tuple[tuple[float, str], ...]


def draw(days: Sequence[Day]) -> Chart | None:
    """The chart; None if nothing was measured."""
    most = max((day.p99 for day in days if day.p99 is not None), default=None)
    if most is None:
        return None
    step = _step(most)
    top = step * math.ceil(most / step)
    grid = tuple((_y(step * number, top), step * number) for number in range(round(top / step) + 1))
    lines = tuple(
        Line(name, tuple(_parts([getattr(day, name) for day in days], top))) for name in ("p50", "p95", "p99")
    )
    marks = tuple((_x(place, len(days)), ", ".join(day.releases)) for place, day in enumerate(days) if day.releases)
    return Chart(lines, grid, marks)


def _step(most: float) -> float:
    """A round number of seconds, so that there are two to five lines."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * part for part in (0.2, 0.5, 1, 2) if most <= 5 * power * part)


def _parts(values: Sequence[float | None], top: float) -> Iterator[str]:
    part: list[str] = []
    for place, value in enumerate(values):
        if value is None:
            if part:
                yield _joined(part)
            part = []
        else:
            part.append(f"{_x(place, len(values)):.1f},{_y(value, top):.1f}")
    if part:
        yield _joined(part)


def _joined(points: list[str]) -> str:
    """A day by itself is a line without a length, which round ends make a dot."""
    return " ".join(points if len(points) > 1 else points * 2)


def _x(place: int, count: int) -> float:
    return round(WIDTH * (place + 0.5) / count, 1)


def _y(seconds: float, top: float) -> float:
    return round(HEIGHT - (HEIGHT - 10) * seconds / top, 1)
