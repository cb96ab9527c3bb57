"""Durations in buckets that can be added up: each is 10 % wider than the one before it.

A percentile that is read from buckets is the geometric middle of one, so it is off by 5 % at most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["bucket_of", "percentile", "seconds_of"]

_LEAST: Final = 1e-4
"""Seconds; everything that is shorter shares the first bucket."""

_GROWTH: Final = math.log(1.1)


def bucket_of(seconds: float) -> int:
    """The number of the bucket that a duration falls into, from 0."""
    return max(0, math.floor(math.log(seconds / _LEAST) / _GROWTH)) if seconds > _LEAST else 0


def seconds_of(bucket: int) -> float:
    """The geometric middle of a bucket."""
    return _LEAST * math.exp((bucket + 0.5) * _GROWTH)


def percentile(samples: Mapping[int, int] | Iterable[tuple[int, int]], percent: float) -> float | None:
    """The percentile (nearest rank) of samples by bucket, in seconds; None if there are none."""
    ordered = sorted(dict(samples).items())
    left = math.ceil(sum(number for _, number in ordered) * percent / 100)
    for bucket, number in ordered:
        left -= number
        if left <= 0 < number:
            return seconds_of(bucket)
    return None
