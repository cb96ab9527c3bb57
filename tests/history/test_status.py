from __future__ import annotations

from collections.abc import Callable

import pytest

from postdeploy.domain.retention import Retention
from postdeploy.history.chart import draw
from postdeploy.history.database import Database
from postdeploy.history.page import state_of, tell_json
from postdeploy.history.place import Place
from postdeploy.history.status import DAYS, Day, Outage, gather_status, outages_of
from postdeploy.history.writing import write_run
from tests.history.memories import NOW, check, run

Open = Callable[[Place], Database]
HOUR = 3600.0
TODAY = int(NOW // 86400)


def test_a_target(place: Place, opened: Open) -> None:
    """Availability, days, releases, outages and checks follow from the runs of a target."""
    history = opened(place)
    for number, outcome in enumerate(["passed", "failed", "failed", "passed", "passed", "failed"]):
        release = "r1" if number < 4 else "r2"
        memory = run(f"run-{number}", check("a", outcome), check("b"), at=(number - 5) * HOUR, release=release)
        write_run(history, memory, Retention(), now=NOW)
    write_run(history, run("unsure", at=-0.5 * HOUR, verdict="inconclusive", release=None), Retention(), now=NOW)
    told = gather_status(history, "staging", NOW)
    assert told is not None
    assert dict(told.availability) == dict.fromkeys((1, 7, 30, 90), 0.5)
    assert len(told.days) == DAYS
    assert [(sum(getattr(day, key) for day in told.days)) for key in ("good", "bad", "unknown")] == [3, 3, 1]
    assert [release for _, release in told.releases] == ["r1", "r2"]
    last, first = told.outages
    assert (last.end, last.checks) == (None, (("a", "a failed"),))
    assert first.end is not None
    assert first.end - first.begin == 2 * 3_600_000
    worst = told.checks[0]
    assert (worst.sums.id, worst.last, worst.sums.bad) == ("a", "failed", 3)
    assert told.checks[1].p50 == pytest.approx(0.1, rel=0.05)
    assert tell_json([told], NOW)["targets"][0]["down"] is True


def test_a_target_of_which_no_run_could_tell(place: Place, opened: Open) -> None:
    """A monitor that has only been inconclusive has a page, which says so."""
    history = opened(place)
    write_run(history, run("unsure", at=-HOUR, verdict="inconclusive", release=None), Retention(), now=NOW)
    told = gather_status(history, "staging", NOW)
    assert told is not None
    assert (told.outages, set(told.availability.values())) == ((), {None})
    assert tell_json([told], NOW)["targets"][0]["down"] is False


def test_no_outage() -> None:
    """Where nothing failed there is none, nor where no run could tell yet."""
    assert list(outages_of([], {})) == []
    assert list(outages_of([(1, 5, "pass")], {})) == []
    assert list(outages_of([(1, 5, "fail"), (2, 9, "pass")], {1: [("a", "why")]})) == [Outage(5, 9, (("a", "why"),))]


@pytest.mark.parametrize(
    ("counts", "state"),
    [((0, 0, 0), "none"), ((0, 0, 2), "unknown"), ((9, 0, 1), "good"), ((21, 1, 0), "poor"), ((19, 1, 0), "bad")],
)
def test_states_of_a_day(counts: tuple[int, int, int], state: str) -> None:
    """A day is as bad as the share of its runs that failed."""
    assert state_of(Day(1, *counts)) == state


def test_chart() -> None:
    """Days without runs leave gaps, a day by itself is a dot, and the grid has round figures up to the slowest."""
    values = [0.1, 0.2, None, 0.4, None]
    chart = draw([Day(n, 1, p50=v, p95=v, p99=v, releases=("r1",) if n == 3 else ()) for n, v in enumerate(values)])
    assert chart is not None
    assert [len(part.split()) for part in chart.lines[0].parts] == [2, 2]
    assert len(set(chart.lines[0].parts[1].split())) == 1
    assert [seconds for _, seconds in chart.grid] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert chart.marks == ((700.0, "r1"),)
    assert draw([Day(1)]) is None
