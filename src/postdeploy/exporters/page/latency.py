"""How long the phases of an exchange took, over all attempts of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from postdeploy.lazy_dataclass import dataclass

__all__ = ["Latency", "latencies"]

_PHASES: Final = ("dns", "connect", "tls", "first_byte", "transfer")


@dataclass(frozen=True, slots=True)
class Latency:
    """One phase: milliseconds at percentiles 50 and 95 (nearest rank) and at most, of ``count`` exchanges."""

    phase: str
    count: int
    p50: float
    p95: float
    most: float


def latencies(document: Mapping[str, Any]) -> list[Latency]:
    """The phases that were measured, in the order in which they happen."""
    measured: dict[str, list[float]] = {}
    for check in document.get("checks", ()):
        for attempt in check["attempts"]:
            for phase, seconds in attempt.get("phases", {}).items():
                measured.setdefault(phase, []).append(1000 * seconds)
    names = [name for name in _PHASES if name in measured] + sorted(measured.keys() - set(_PHASES))
    return [_latency(name, sorted(measured[name])) for name in names]


def _latency(name: str, values: Sequence[float]) -> Latency:
    return Latency(name, len(values), _percentile(values, 50), _percentile(values, 95), values[-1])


def _percentile(values: Sequence[float], percent: int) -> float:
    return values[max(0, -(-len(values) * percent // 100) - 1)]
