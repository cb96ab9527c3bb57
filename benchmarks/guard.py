"""What the guard costs: the main job with it and without it."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.measure import interleave
from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Finding, Table, ratio, samples_table, spread

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
        place.rounds(15),
    )
    table = samples_table("The guard, 200 HTTP checks, 50 ms answers, autoload off", samples, _WITHOUT)
    costs = [100 * (value - 1) for value in ratio(samples, _WITH, _WITHOUT)]
    table.findings = [
        Finding(f"the guard costs at most {_MOST:g} %", spread(costs, "{:.1f}", " %"), median(costs) <= _MOST)
    ]
    processor = [100 * (value - 1) for value in ratio(samples, _WITH, _WITHOUT, "cpu")]
    table.notes.append(f"Of the processor's time it is {spread(processor, '{:.1f}', ' %')}.")
    yield table
