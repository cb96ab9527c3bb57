"""How fast reports are masked: a trace's JSON without and with secrets in it, by the number of secrets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.place import Place
from benchmarks.tables import Finding, Table, spread

if TYPE_CHECKING:
    from postdeploy.domain.redaction import Redactor

__all__ = ["scrub"]

_GOAL = 30.0
_HARD = ('a/+="&<>ü-zZ9kq', "first-line-of-it\nsecond-line-0815", "50%25off%2Ftoken%20x", "a.*(b+)[c]?$^{9}|xyzw")


def scrub(place: Place) -> Iterator[Table]:
    """MB/s of the masking of one file in memory."""
    from postdeploy.domain.redaction import Redactor, Secret

    line = json.dumps({"url": "https://staging.example.com/api/v1/conversations/8812", "text": "the quick brown fox"})
    data = (line + "\n").encode() * (20_000 if place.quick else 80_000)
    rows, findings = [], []
    for count in (1, 3, 12):
        values = [*_HARD, *(f"token-{number}-5f3a9c77b1" for number in range(12))][:count]
        redactor = Redactor([Secret(f"s{number}", value) for number, value in enumerate(values)])
        redactor.content(b"")
        speeds = [_speed(data, redactor) for _ in range(3)]
        rows.append((str(count), spread(speeds, "{:.0f}")))
        if count == 12:  # as many as the goal names
            findings.append(
                Finding("12 secrets, at least 30 MB/s", spread(speeds, "{:.0f}", " MB/s"), max(speeds) >= _GOAL)
            )
    yield Table("Masking reports", ("secrets", "MB/s"), rows, findings)


def _speed(data: bytes, redactor: Redactor) -> float:
    from postdeploy.guard.artifacts import scrubbed

    begun = time.perf_counter()
    scrubbed(data, redactor)
    return len(data) / 1e6 / (time.perf_counter() - begun)
