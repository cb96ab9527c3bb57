"""How often a run in which nothing changed is warned of slowness: simulated, by kind of latency.

``python -m benchmarks.false_alarms``
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from postdeploy.history.recall import timing_of

__all__ = ["KINDS", "rate"]

KINDS: Final[dict[str, Callable[[random.Random], float]]] = {
    "logarithms that are normal": lambda chance: 0.3 * chance.lognormvariate(0, 0.3),
    "gamma": lambda chance: chance.gammavariate(4, 0.075),
    "exponential": lambda chance: chance.expovariate(1 / 0.3),
    "one in a hundred takes five times as long": lambda chance: (
        0.3 * chance.lognormvariate(0, 0.3) * (5 if chance.random() < 0.01 else 1)
    ),
}


def rate(kind: str, runs: int, checks: int, times: int) -> float:
    """The share of runs of so many checks, each with so many durations of the past, that have a warning."""
    draw, chance = KINDS[kind], random.Random(7)
    wrong = sum(
        any(_is_wrong([draw(chance) for _ in range(times + 1)], checks) for _ in range(checks)) for _ in range(runs)
    )
    return wrong / runs


def _is_wrong(durations: list[float], checks: int) -> bool:
    *before, last = durations
    timing = timing_of(before) if last > max(before) else None
    return timing is not None and timing.is_exceeded(last, checks)


if __name__ == "__main__":
    for name in KINDS:
        print(f"{name}: {rate(name, 1000, 100, 50):.1%} of 1000 runs of 100 checks")
