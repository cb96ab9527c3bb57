"""How long the phases of an exchange took, over all attempts of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    values: dict[str, list[float]] = {}
    slowest: dict[str, tuple[float, Mapping[str, Any]]] = {}
    for check in document.get("checks", ()):
        for attempt in check["attempts"]:
            for phase, seconds in attempt.get("phases", {}).items():
                if phase not in values:
                    values[phase], slowest[phase] = [], (seconds, check)
                elif seconds >= slowest[phase][0]:
                    slowest[phase] = (seconds, check)
                values[phase].append(seconds)
    names = [name for name in _PHASES if name in values] + sorted(values.keys() - set(_PHASES))
    return [_latency(name, sorted(values[name]), slowest[name][1]) for name in names]


def _latency(name: str, seconds: Sequence[float], slowest: Mapping[str, Any]) -> Latency:
    p50, p95, most = (1000 * value for value in (_percentile(seconds, 50), _percentile(seconds, 95), seconds[-1]))
    return Latency(name, len(seconds), p50, p95, most, slowest["id"], slowest["name"])


def _percentile(values: Sequence[float], percent: int) -> float:
    return values[max(0, -(-len(values) * percent // 100) - 1)]
