from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.watching.schedule import Schedule, between, start_delay

NUMBER = st.floats(min_value=0.1, max_value=1e6)


@given(NUMBER, NUMBER, st.integers(min_value=0, max_value=100_000))
def test_a_tick_is_due_from_its_moment_on(every: float, first: float, tick: int) -> None:
    """Whatever rounding does, the clock that reads the moment of a tick finds it due, and none after it."""
    schedule = Schedule(every, first)
    assert schedule.due(schedule.at(tick)) == tick
    assert schedule.due(schedule.at(tick) + every / 2) == tick


def test_none_is_due_before_the_first() -> None:
    """Before the first tick there is none, however long before."""
    assert Schedule(60.0, 1000.0).due(999.9) == Schedule(60.0, 1000.0).due(0.0) == -1


def test_no_drift() -> None:
    """After a million ticks the grid is where it began."""
    assert Schedule(0.1, 0.0).at(10_000_000) == 1_000_000.0


@given(NUMBER, NUMBER, st.text(), st.text())
def test_the_start_is_spread(every: float, limit: float, target: str, machine: str) -> None:
    """The delay is the same each time, and within its bounds."""
    delay = start_delay(every, limit, target, machine)
    assert delay == start_delay(every, limit, target, machine)
    assert 0 <= delay < min(every, limit)


def test_the_start_is_another_one_elsewhere() -> None:
    """A hundred machines begin in a hundred moments, all over the interval; names do not run together."""
    delays = [start_delay(60.0, 60.0, "site", f"host{number}") for number in range(100)]
    assert len(set(delays)) == 100
    assert {int(delay // 15) for delay in delays} == {0, 1, 2, 3}
    assert start_delay(60.0, 60.0, "ab", "c") != start_delay(60.0, 60.0, "a", "bc")
    assert start_delay(60.0, 0.0, "site", "host") == 0.0


@pytest.mark.parametrize(
    ("earlier", "later", "missed"),
    [(100.0, 100.0, 0), (100.0, 99.0, 0), (100.0, 130.0, 1), (100.0, 160.0, 1), (100.0, 160.1, 2), (100.0, 3700.0, 60)],
)
def test_ticks_of_a_monitor_that_was_not_there(earlier: float, later: float, missed: int) -> None:
    """The tick that was due and had no run is missed, and so are all until the first of the next monitor."""
    assert between(60.0, earlier, later) == missed
    assert between(60.0, earlier, float("inf")) == 0
