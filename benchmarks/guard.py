"""What the guard costs: the main job with it and without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.measure import interleave
from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Finding, Table, certain, ratio, samples_table

__all__ = ["guard"]

_WITH = "postdeploy"
_WITHOUT = "postdeploy without its guard"
_MOST = 5.0


def guard(place: Place) -> Iterator[Table]:
    """200 HTTP checks, in turns; ``unguarded.py`` says what is left out."""
    folder = declared(place.folder / "guard-200", place.port, checks=200)
    samples = interleave(
        [
            place.ours(_WITH, folder, autoload=False),
            place.ours(_WITHOUT, folder, "-p", "benchmarks.unguarded", autoload=False),
        ],
        place.rounds(60),
    )
    table = samples_table("The guard, 200 HTTP checks, 50 ms answers, autoload off", samples, _WITHOUT)
    table.findings = [
        _cost("of the time that passes", ratio(samples, _WITH, _WITHOUT)),
        _cost("of the processor's time", ratio(samples, _WITH, _WITHOUT, "cpu")),
    ]
    yield table


def _cost(whose: str, ratios: Sequence[float]) -> Finding:
    """Reached where even the upper end of what the median may be is: single rounds differ by far more than 5 %."""
    costs = [100 * (value - 1) for value in ratios]
    least, most = certain(costs)
    measured = f"{median(costs):.1f} % (the median is between {least:.1f} and {most:.1f} %, 95 % certain)"
    return Finding(f"the guard costs at most {_MOST:g} % {whose}", measured, most <= _MOST)
