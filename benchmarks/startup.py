"""Start-up: one check through the launcher, and every other pytest run on a machine that has this plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.measure import Command, interleave
from benchmarks.place import ROOT, Place
from benchmarks.suites import declared, empty_test
from benchmarks.tables import TIMES, Table, at_most, ratio, samples_table

__all__ = ["asleep", "one_check"]

_BARE: Final = "pytest, one empty test"


_CLOCKS: Final = {"wall": "wall time", "cpu": "CPU time"}


def one_check(place: Place) -> Iterator[Table]:
    """From start to verdict with one check."""
    folder = declared(place.folder / "declared-1", place.port, checks=1)
    commands = [
        place.pytest(_BARE, empty_test(place.folder / "empty"), autoload=False),
        place.ours("pytest --target", folder, autoload=False),
    ]
    launcher = _launcher()
    if launcher is not None:
        commands.append(Command("postdeploy verify", (*launcher, "verify", "bench"), folder))
    samples = interleave(commands, place.rounds(15))
    table = samples_table("One check, start to verdict, autoload off", samples, _BARE)
    measured = commands[-1].name
    table.findings = [at_most(f"{measured}: at most 1.6 {TIMES} {_BARE}", ratio(samples, measured, _BARE), 1.6)]
    if launcher is None:
        table.notes.append("The launcher `postdeploy verify` is not there; its pytest command stands in for it.")
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


def _launcher() -> tuple[str, ...] | None:
    script = Path(sys.executable).with_name("postdeploy")
    if not script.exists():
        return None
    asked = subprocess.run(
        [script, "verify", "--help"], capture_output=True, cwd=ROOT, env=dict(os.environ), check=False
    )
    return (str(script),) if asked.returncode == 0 else None
