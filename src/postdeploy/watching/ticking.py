"""The life of a resident monitor between its runs: waiting for ticks, counting those that are missed, ending."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from postdeploy.watching.schedule import Schedule

__all__ = ["GLANCE", "Monitor", "tick_on"]

GLANCE: Final = 5.0
"""Seconds after which the clock is read again: one that sleeps with the machine ends no wait when that wakes up."""

_LATE: Final = 0.5
"""The part of an interval by which a run may begin late; a later one would be too close to the next."""


class Monitor(Protocol):
    """What is done at which moment; each says whether the monitor has been asked to end."""

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until somebody asks."""

    def run(self) -> bool:
        """One run, to its end."""

    def missed(self, ticks: int) -> None:
        """So many ticks have had no run."""


def tick_on(schedule: Schedule, clock: Callable[[], float], monitor: Monitor) -> None:
    """Run at each tick, until the monitor is asked to end.

    A run that is still going on when ticks come makes them missed. One tick at the most is run late, by less than half
    of the interval: never are two runs closer than that, and no backlog builds up.
    """
    last = -1
    while True:
        tick = schedule.due(clock())
        if tick > last:
            late = clock() - schedule.at(tick) > _LATE * schedule.every
            if tick - last - (not late):
                monitor.missed(tick - last - (not late))
            last = tick
            if not late and monitor.run():
                return
        elif monitor.wait(min(max(schedule.at(last + 1) - clock(), 0.0), GLANCE)):
            return
