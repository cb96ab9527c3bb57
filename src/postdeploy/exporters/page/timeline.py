"""Every attempt of a run on one time line: attempts that overlap stand in lanes, one above the other."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from operator import itemgetter
from typing import Any, NamedTuple

from postdeploy.exporters.reading import moment

__all__ = ["Bar", "Timeline", "draw"]


class Bar(NamedTuple):
    """One attempt: ``left`` and ``width`` in percent of the time line, ``lane`` from 0."""

    check: str
    name: str
    number: int
    outcome: str
    left: float
    width: float
    lane: int
    seconds: float


class Timeline(NamedTuple):
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
        key=itemgetter(0),
    )
    if not found:
        return None
    whole = max(start + attempt["duration"] for start, attempt, _, _ in found) or 1.0
    lanes = _Lanes()
    bars = tuple(
        Bar(
            check["id"],
            check["name"],
            number,
            attempt["outcome"],
            round(100 * start / whole, 3),
            round(max(0.15, 100 * attempt["duration"] / whole), 3),
            lanes.take(start, attempt["duration"]),
            attempt["duration"],
        )
        for start, attempt, check, number in found
    )
    return Timeline(whole, lanes.count, bars)


class _Lanes:
    """The lowest lane that is free."""

    def __init__(self) -> None:
        self.count = 0
        self._busy: list[tuple[float, int]] = []
        self._free: list[int] = []

    def take(self, start: float, seconds: float) -> int:
        while self._busy and self._busy[0][0] <= start:
            heappush(self._free, heappop(self._busy)[1])
        if self._free:
            lane = heappop(self._free)
        else:
            lane, self.count = self.count, self.count + 1
        heappush(self._busy, (start + seconds, lane))
        return lane
