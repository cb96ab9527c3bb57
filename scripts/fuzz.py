"""``python -m scripts.fuzz [SECONDS]``: fuzz the readers of configuration, verdicts, answers and reports."""

from __future__ import annotations

import sys
import time
from collections import Counter

from hypothesis import HealthCheck, Phase, settings

from tests.fuzz.harness import TARGETS, fuzz

_SECONDS = 600.0
_ROUND = 500


def main(seconds: float) -> None:
    """Fuzz everything in turns; the first input that leads to an unexpected error is shown, and ends it."""
    ends = time.monotonic() + seconds
    tried: Counter[str] = Counter()
    chosen = settings(
        max_examples=_ROUND,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    while time.monotonic() < ends:
        for name in TARGETS:
            fuzz(name, chosen)
            tried[name] += _ROUND
    for name, count in tried.items():
        print(f"{name}: {count} inputs, nothing unexpected")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS)
