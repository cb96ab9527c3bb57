"""Every attempt of a run on one time line: attempts that overlap stand in lanes, one above the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postdeploy.exporters.reading import moment
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Bar", "Timeline", "draw"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt: ``left`` and ``width`` in percent of the time line, ``lane`` from 0."""

    check: str
    name: str
    number: int
    outcome: str
    left: float
    width: float
    lane: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """The bars in order of time; ``seconds`` is what the whole width stands for, from the start of the run."""

    seconds: float
    lanes: int
    bars: tuple[Bar, ...]


def draw(document: Mapping[str, Any]) -> Timeline | None:
    """The time line of a run; None if nothing was attempted."""
    begin = moment(document["run"]["started"])
    found = sorted(
        (
            (moment(attempt["started"]) - begin, attempt, check, number)
            for check in document.get("checks", ())
            for number, attempt in enumerate(check["attempts"], 1)
        ),
        key=lambda row: row[0],
    )
    if not found:
        return None
    whole = max(start + attempt["duration"] for start, attempt, _, _ in found) or 1.0
    ends: list[float] = []
    bars = []
    for start, attempt, check, number in found:
        lane = next((index for index, end in enumerate(ends) if end <= start), len(ends))
        ends[lane:lane + 1] = [start + attempt["duration"]]  # fmt: skip
        bars.append(
            Bar(
                check["id"],
                check["name"],
                number,
                attempt["outcome"],
                round(100 * start / whole, 3),
                round(max(0.15, 100 * attempt["duration"] / whole), 3),
                lane,
                attempt["duration"],
            )
        )
    return Timeline(whole, len(ends), tuple(bars))
