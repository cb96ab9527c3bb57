from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from postdeploy.history.buckets import bucket_of, percentile, seconds_of

TIMES = st.floats(min_value=1e-3, max_value=1e4)


@given(TIMES)
def test_middle_is_near(seconds: float) -> None:
    """The middle of a bucket is within 5 % of everything in it."""
    assert math.isclose(seconds_of(bucket_of(seconds)), seconds, rel_tol=0.05)


@given(st.lists(TIMES, min_size=1))
def test_percentiles(times: list[float]) -> None:
    """A percentile from buckets is within 5 % of the one by nearest rank."""
    samples: dict[int, int] = {}
    for each in times:
        samples[bucket_of(each)] = samples.get(bucket_of(each), 0) + 1
    for percent in (1, 50, 95, 100):
        exact = sorted(times)[math.ceil(len(times) * percent / 100) - 1]
        found = percentile(samples, percent)
        assert found is not None
        assert math.isclose(found, exact, rel_tol=0.05)


def test_nothing_measured() -> None:
    """No samples, no percentile; and what is too short to tell shares the first bucket."""
    assert percentile({}, 50) is None
    assert bucket_of(0.0) == bucket_of(1e-5) == 0
