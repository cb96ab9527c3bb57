from __future__ import annotations

import pytest

from postdeploy.domain.target import Budget
from postdeploy.guard.budget import Meter


def admitted(meter: Meter, until: float, step: float = 0.01) -> list[float]:
    """When requests were let pass that never stop asking."""
    moments = []
    for tick in range(int(until / step)):
        now = tick * step
        while meter.take(now) == 0:
            moments.append(now)
            meter.give_back()
    return moments


def test_without_a_limit_everything_passes() -> None:
    """A budget without figures never waits and is never spent."""
    meter = Meter(Budget())
    assert [meter.take(0) for _ in range(1000)] == [0] * 1000
    assert (meter.book.requests, meter.allowed, meter.spent) == (1000, None, None)


def test_so_many_in_all() -> None:
    """After the last request that is allowed the budget is spent."""
    meter = Meter(Budget(requests=2))
    meter.take(0)
    meter.take(0)
    assert meter.spent
    with pytest.raises(ValueError, match="spent"):
        meter.take(0)


def test_no_requests_at_all() -> None:
    """A budget of nothing is spent from the beginning."""
    assert Meter(Budget(requests=0)).spent


@pytest.mark.parametrize("rate", [1, 2.5, 10, 0.5])
def test_in_no_second_more_than_allowed(rate: float) -> None:
    """Whatever second one looks at, no more requests passed in it."""
    moments = admitted(Meter(Budget(per_second=rate)), 6)
    for moment in moments:
        assert sum(1 for other in moments if moment <= other < moment + 0.99) <= max(1, rate)


@pytest.mark.parametrize(("rate", "count"), [(10, 60), (1, 6), (0.5, 3)])
def test_the_rate_is_used(rate: float, count: int) -> None:
    """Who never stops asking gets the rate, not less."""
    assert len(admitted(Meter(Budget(per_second=rate)), 6)) == pytest.approx(count, abs=rate)


def test_a_request_that_waits_is_not_counted() -> None:
    """The meter says how long to wait, and counts when it lets pass."""
    meter = Meter(Budget(per_second=1))
    assert meter.take(10.0) == 0
    assert meter.take(10.25) == pytest.approx(0.75)
    assert meter.book.requests == 1
    assert meter.take(11.0) == 0


def test_the_busiest_second_is_told() -> None:
    """The most requests of any second, wherever it begins."""
    meter = Meter(Budget())
    for now in (0.0, 0.9, 1.1, 1.2, 1.8, 3.0):
        meter.take(now)
    assert meter.facts()["peak_per_second"] == 4


def test_more_than_can_be_told_apart() -> None:
    """A second with more requests than are remembered is told as so many at least."""
    meter = Meter(Budget())
    for _ in range(10_000):
        meter.take(5.0)
    assert meter.facts()["peak_per_second"] == 8192
    meter.take(6.5)
    assert meter.facts()["requests"] == 10_001
