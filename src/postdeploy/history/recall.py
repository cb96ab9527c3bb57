"""What a run is told of the runs before it: a baseline, which checks there were, and how long they took."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final

from postdeploy.domain.facts import Baseline
from postdeploy.domain.past import LEAST_TIMES, Past, Timing
from postdeploy.domain.result import Outcome
from postdeploy.history.database import Database
from postdeploy.history.reading import (
    RunRow,
    durations,
    last_good_release,
    last_runs,
    outcomes,
    runs_before,
    target_names,
)

__all__ = ["baseline_of", "recall_baseline", "recall_past", "timing_of"]

_TIMED: Final = 50
"""Runs whose durations are compared with."""

_BASELINE: Final = 5
"""Runs on the release before in which a check is looked for."""

_NORMAL: Final = 1.4826
"""By which a median distance from the median becomes the deviation of a normal distribution."""

_DECIDED: Final = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.BLOCKED})


def recall_baseline(database: Database, target: str, expected: str | None, source: str) -> Baseline | None:
    """What was known of the checks on the release before the expected one; None if nothing is. Raises HistoryError."""
    if not expected or target not in target_names(database):
        return None
    runs = runs_before(database, target, expected, _BASELINE)
    same = [run for run in runs if run.release == runs[0].release]
    return baseline_of(same, outcomes(database, [run.number for run in same]), source) if same else None


def recall_past(database: Database, target: str, source: str) -> Past | None:
    """What the complete runs of a target say; None if there are none. Raises HistoryError."""
    runs = last_runs(database, target, 2 * _TIMED) if target in target_names(database) else []
    runs = [run for run in runs if run.complete][:_TIMED]
    if not runs:
        return None
    last = outcomes(database, [runs[0].number])[runs[0].number]
    times = durations(database, [run.number for run in runs])
    checks = {check: timing_of(times.get(check, ())) for check in last}
    return Past(source, runs[0].id, checks, last_good_release(database, target))


def baseline_of(runs: Sequence[RunRow], ended: Mapping[int, Mapping[str, Outcome]], source: str) -> Baseline:
    """How each check ended last, of runs on one release, newest first."""
    found: dict[str, Outcome] = {}
    for run in runs:
        for check, outcome in ended[run.number].items():
            if outcome in _DECIDED:
                found.setdefault(check, outcome)
    return Baseline(runs[0].release, found, f"{source}, run {runs[0].id}")


def timing_of(times: Iterable[float]) -> Timing | None:
    """The durations of a check in short; None if they are too few to compare with."""
    positive = [seconds for seconds in times if seconds > 0]
    if len(positive) < LEAST_TIMES:
        return None
    middle = median(positive)
    distances = [abs(math.log(seconds / middle)) for seconds in positive]
    return Timing(len(positive), round(middle, 6), round(_NORMAL * median(distances), 6), round(max(positive), 6))
