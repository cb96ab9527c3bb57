"""What reports cost: a run of 1,000 checks without and with all formats, and each format by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.measure import Command, Sample, measure
from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Table, at_most, samples_table, spread

__all__ = ["reports"]

_LIMIT: Final = 10
_MEMORY: Final = Path("/dev/shm")
_NONE: Final = "without reports"
_ALL: Final = "--report=all"
_OVER: Final = "--report=all over those of an earlier run"


def reports(place: Place) -> Iterator[Table]:
    """Runs that differ in nothing else, and the formats of one of them, rendered and written anew.

    Runs begin in a folder without reports, as in a pipeline's checkout; the last kind begins with those of the run
    before, which are searched for secrets and replaced.
    """
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None, prefix="reports-") as folder:
        yield from _measured(replace(place, folder=Path(folder)))


def _measured(place: Place) -> Iterator[Table]:
    count = 100 if place.quick else 1000
    folder = declared(place.folder / f"reported-{count}", place.port, checks=count)
    commands = [
        place.ours(_NONE, folder, autoload=False),
        place.ours(_ALL, folder, _ALL, autoload=False),
        place.ours(_OVER, folder, _ALL, autoload=False),
    ]
    samples = _in_turns(commands, place.rounds(11))
    table = samples_table(f"Reports of {count:,} HTTP checks", samples, _NONE)
    pairs = zip(samples[_ALL], samples[_NONE], strict=True)
    shares = [100 * (one.wall / other.wall - 1) for one, other in pairs]
    table.notes.append(
        "Files are in memory, where the machine has such a folder: disks differ tenfold in making 1,000."
    )
    table.findings = [at_most(f"all formats: at most {_LIMIT} % of a run", shares, _LIMIT, "{:.1f}", " %")]
    yield table
    from postdeploy.exporters import FORMATS

    document = json.loads((folder / "reports" / "verdict.json").read_text())
    rows = [(name, *_cost(place, document, name)) for name in FORMATS]
    yield Table(f"Each format of {count:,} checks, rendered and written", ("format", "ms", "KiB"), rows)


def _in_turns(commands: Sequence[Command], rounds: int) -> dict[str, list[Sample]]:
    """A B C A B C …, after a round that is not counted; old reports are moved aside: to delete them takes time."""
    samples: dict[str, list[Sample]] = {command.name: [] for command in commands}
    for number in range(rounds + 1):
        for command in commands:
            found = command.folder / "reports"
            if command.name != _OVER and found.exists():
                found.rename(found.with_name(f"reports-{number}-{command.name}"))
            samples[command.name].append(measure(command))
    return {name: taken[1:] for name, taken in samples.items()}


def _cost(place: Place, document: dict[str, Any], name: str) -> tuple[str, str]:
    """Milliseconds and KiB; the first writing also imports, and is left out."""
    from postdeploy.exporters import FORMATS
    from postdeploy.reports import write_reports

    folder = place.folder / "rendered"
    folder.mkdir(exist_ok=True)
    taken = []
    for _ in range(place.rounds(5) + 1):
        begun = time.perf_counter()
        (report,) = write_reports(document, [name], folder, folder)
        taken.append(1000 * (time.perf_counter() - begun))
        assert report.problem is None, report.problem
    written = folder / FORMATS[name]
    files = written.iterdir() if written.is_dir() else [written]
    return spread(taken[1:], "{:.1f}"), f"{sum(path.stat().st_size for path in files) / 1024:.0f}"
