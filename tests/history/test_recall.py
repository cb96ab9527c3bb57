from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Any

import pytest

from postdeploy.domain.past import Timing, threshold
from postdeploy.domain.retention import Retention
from postdeploy.history.database import Database
from postdeploy.history.place import Place
from postdeploy.history.recall import recall_baseline, recall_past, timing_of
from postdeploy.history.writing import write_run
from tests.history.memories import NOW, check, run

Open = Callable[[Place], Database]


def write(
    history: Database, name: str, release: str, at: float, more: Mapping[str, Any] | None = None, **checks: str
) -> None:
    """Write a run about a release; checks by outcome."""
    memory = run(name, *(check(key, outcome) for key, outcome in checks.items()), at=at, release=release, **more or {})
    write_run(history, memory, Retention(), now=NOW)


def test_baseline(place: Place, opened: Open) -> None:
    """It is the release before the expected one: of each check, how it ended last, where that was told."""
    history = opened(place)
    write(history, "old", "r1", 0, a="passed", b="passed")
    write(history, "one", "r2", 10, a="failed", b="passed", c="blocked", d="failed")
    write(history, "two", "r2", 20, a="failed", b="errored", c="blocked", d="passed", e="not_run")
    write(history, "sick", "r2", 30, {"verdict": "inconclusive"}, a="passed")
    write(history, "part", "r2", 40, {"complete": False}, a="passed")
    write(history, "again", "r3", 50, a="passed")
    found = recall_baseline(history, "staging", "r3", "history")
    assert found is not None
    assert (found.release, found.source) == ("r2", "history, run two")
    assert dict(found.outcomes) == {"a": "failed", "b": "passed", "c": "blocked", "d": "passed"}


@pytest.mark.parametrize(("target", "expected"), [("staging", None), ("staging", "r1"), ("elsewhere", "r2")])
def test_no_baseline(place: Place, opened: Open, target: str, expected: str | None) -> None:
    """Nothing is known if nothing was deployed, on the only release that there was, and of another target."""
    history = opened(place)
    write(history, "old", "r1", 0, a="passed")
    assert recall_baseline(history, target, expected, "history") is None


def test_past(place: Place, opened: Open) -> None:
    """It has the checks of the last complete run, times where there are thirty, and the last good release."""
    history = opened(place)
    assert recall_past(history, "staging", "history") is None
    for number in range(31):
        other = "b" if number else "gone"
        write(history, f"r{number}", "r1", number, None, **{"a": "passed", other: "passed"})
    write(history, "bad", "r2", 40, a="passed", b="failed")
    write(history, "part", "r3", 50, {"complete": False}, c="passed")
    found = recall_past(history, "staging", "history")
    assert found is not None
    assert (found.run, found.last_good) == ("bad", "r3")
    assert found.checks == {"a": Timing(32, 0.1, 0.0, 0.1), "b": Timing(30, 0.1, 0.0, 0.1)}


@pytest.mark.parametrize("times", [30])
@pytest.mark.parametrize("checks", [1, 100])
def test_false_alarms(times: int, checks: int) -> None:
    """A threshold on estimates is passed by as few normal logarithms as it says: one in a hundred for all checks."""
    chance, normal, tails = random.Random(7), NormalDist(), []
    for _ in range(4000):
        past = timing_of(math.exp(chance.gauss(0, 1)) for _ in range(times))
        assert past is not None
        tails.append(normal.cdf(-(math.log(past.median) + past.spread * threshold(times, checks))))
    assert 0.003 < checks * sum(tails) / len(tails) < 0.015
