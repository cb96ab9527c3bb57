from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from postdeploy.watching.schedule import Schedule
from postdeploy.watching.ticking import GLANCE, tick_on


class Day:
    """A clock that only moves while somebody waits or runs; ``durations`` are those of the runs, one after another."""

    def __init__(self, *durations: float, end: float = 100.0, sleeps: dict[float, float] | None = None) -> None:
        self.now = 0.0
        self.began: list[float] = []
        self.lost = 0
        self._durations: Iterator[float] = iter(durations)
        self._end = end
        self._sleeps = sleeps or {}

    def wait(self, seconds: float) -> bool:
        """As long as it says, and as long as the machine sleeps meanwhile."""
        assert 0 <= seconds <= GLANCE
        self.now += max(seconds, 1e-6)
        for moment in [each for each in self._sleeps if each <= self.now]:
            self.now += self._sleeps.pop(moment)
        return self.now >= self._end

    def run(self) -> bool:
        """A run that takes as long as was said."""
        self.began.append(round(self.now, 3))
        self.now += next(self._durations, 0.5)
        return self.now >= self._end

    def missed(self, ticks: int) -> None:
        """They are counted."""
        assert ticks > 0
        self.lost += ticks


def lived(day: Day, every: float = 10.0, first: float = 3.0) -> tuple[list[float], int]:
    """When runs began, and how many ticks had none."""
    tick_on(Schedule(every, first), lambda: day.now, day)
    return day.began, day.lost


def test_a_run_at_each_tick() -> None:
    """Runs begin on the grid, however long each takes within its interval."""
    assert lived(Day(9.9, 0.1, 5.0, end=50.0)) == ([3.0, 13.0, 23.0, 33.0, 43.0], 0)


def test_a_run_that_lasts_longer() -> None:
    """Runs never overlap: ticks that pass during a run are missed, the newest is made up for if it is not too late."""
    assert lived(Day(12.0, end=40.0)) == ([3.0, 15.0, 23.0, 33.0], 0)
    assert lived(Day(16.0, end=40.0)) == ([3.0, 23.0, 33.0], 1)
    assert lived(Day(22.0, end=45.0)) == ([3.0, 25.0, 33.0, 43.0], 1)
    assert lived(Day(26.0, end=45.0)) == ([3.0, 33.0, 43.0], 2)


def test_a_machine_that_sleeps() -> None:
    """The ticks of an hour in which the machine slept are missed, and there is one run after it, not hundreds."""
    began, missed = lived(Day(end=3700.0, sleeps={20.0: 3600.0}))
    assert began[:3] == [3.0, 13.0, 3623.0]
    assert missed == 360
    assert len(began) + missed == 370


@pytest.mark.parametrize("duration", [0.1, 10.0, 12.0, 15.0, 16.0, 33.3])
def test_each_tick_is_run_or_missed(duration: float) -> None:
    """Whenever a run begins, each tick until then has had a run or is counted as missed, and none twice."""
    schedule = Schedule(10.0, 3.0)

    class Counted(Day):
        def run(self) -> bool:
            assert len(self.began) + 1 + self.lost == schedule.due(self.now) + 1
            return super().run()

    began, _ = lived(Counted(*[duration] * 1000, end=1000.0))
    assert all(later - earlier >= duration - 0.01 for earlier, later in pairwise(began))


def test_asked_to_end() -> None:
    """It ends in a wait and after a run alike."""
    assert lived(Day(end=1.0)) == ([], 0)
    assert lived(Day(500.0, end=100.0)) == ([3.0], 0)
