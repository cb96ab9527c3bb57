"""Start-up: one check through the launcher, and every other pytest run on a machine that has this plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.measure import interleave
from benchmarks.place import Place
from benchmarks.suites import declared, empty_test
from benchmarks.tables import TIMES, Table, at_most, ratio, samples_table

__all__ = ["asleep", "one_check"]

_BARE: Final = "pytest, one empty test"


_CLOCKS: Final = {"wall": "wall time", "cpu": "CPU time"}


def one_check(place: Place) -> Iterator[Table]:
    """From start to verdict with one check."""
    folder = declared(place.folder / "declared-1", place.port, checks=1)
    measured = place.program("postdeploy verify", folder, "verify", "bench")
    commands = [
        place.pytest(_BARE, empty_test(place.folder / "empty"), autoload=False),
        place.ours("pytest --target", folder, autoload=False),
        measured,
    ]
    samples = interleave(commands, place.rounds(15))
    table = samples_table("One check, start to verdict, autoload off", samples, _BARE)
    goal = f"{measured.name}: at most 1.6 {TIMES} {_BARE}"
    table.findings = [at_most(goal, ratio(samples, measured.name, _BARE), 1.6)]
    table.notes.append("A check and the look whether its service is there take 50 ms each; the empty test has neither.")
    yield table


def asleep(place: Place) -> Iterator[Table]:
    """The plugin is installed, and nobody names a target."""
    folder = empty_test(place.folder / "empty")
    without = place.pytest("without the plugin", folder, autoload=False)
    loaded = place.pytest("with the plugin", folder, "-p", "postdeploy.plugin.hooks", autoload=False)
    samples = interleave([without, loaded], place.rounds(31))
    table = samples_table("Any other pytest run, autoload off", samples, without.name)
    pairs = list(zip(samples[loaded.name], samples[without.name], strict=True))
    for clock in ("wall", "cpu"):
        more = [1000 * (getattr(one, clock) - getattr(other, clock)) for one, other in pairs]
        table.findings.append(at_most(f"at most 15 ms more ({_CLOCKS[clock]})", more, 15, "{:.1f}", " ms"))
    yield table
