"""How long the phases of an exchange took, over all attempts of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

__all__ = ["Latency", "latencies"]

_PHASES: Final = ("dns", "connect", "tls", "first_byte", "transfer")


class Latency(NamedTuple):
    """One phase: milliseconds at percentiles 50 and 95 (nearest rank) and at most, of so many ``exchanges``.

    ``check`` and ``name`` are of the check that took the longest.
    """

    phase: str
    exchanges: int
    p50: float
    p95: float
    most: float
    check: str
    name: str


def latencies(document: Mapping[str, Any]) -> list[Latency]:
    """The phases that were measured, in the order in which they happen."""
    measured: dict[str, list[tuple[float, Mapping[str, Any]]]] = {}
    for check in document.get("checks", ()):
        for attempt in check["attempts"]:
            for phase, seconds in attempt.get("phases", {}).items():
                measured.setdefault(phase, []).append((1000 * seconds, check))
    names = [name for name in _PHASES if name in measured] + sorted(measured.keys() - set(_PHASES))
    return [_latency(name, sorted(measured[name], key=itemgetter(0))) for name in names]


def _latency(name: str, found: Sequence[tuple[float, Mapping[str, Any]]]) -> Latency:
    values = [value for value, _ in found]
    most, slowest = found[-1]
    return Latency(
        name, len(values), _percentile(values, 50), _percentile(values, 95), most, slowest["id"], slowest["name"]
    )


def _percentile(values: Sequence[float], percent: int) -> float:
    return values[max(0, -(-len(values) * percent // 100) - 1)]
