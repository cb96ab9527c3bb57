"""How soon checks start once the expected release is seen, by the clock of the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.measure import measure
from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Table, at_most, spread

__all__ = ["going_live"]


def going_live(place: Place) -> Iterator[Table]:
    """The release is switched while a run waits for it."""
    folder = declared(place.folder / "release", place.port, checks=20, release=True)
    waits: list[float] = []
    gaps: list[float] = []
    for number in range(place.rounds(7)):
        place.ask("/-/log")
        place.ask(f"/-/release?commit=release-{number}&after=2.5")
        command = place.ours("postdeploy", folder, f"--release=release-{number}", autoload=False)
        measure(command)
        wait, gap = _read(place.ask("/-/log"))
        waits.append(wait)
        gaps.append(1000 * gap)
    rows = [
        ("first question to last required answer, s", spread(waits, "{:.2f}")),
        ("last required answer to the first check, ms", spread(gaps, "{:.1f}")),
    ]
    table = Table("The release becomes live while a run waits", ("what", "measured by the server"), rows)
    table.findings = [at_most("checks start at most 250 ms after the last required answer", gaps, 250, "{:.1f}", " ms")]
    yield table


def _read(log: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """How long the run waited, and the time between the last answer before the first check and that check."""
    first_check = next(moment for path, moment in log if path.startswith("/check/"))
    answers = [moment for path, moment in log if path.startswith("<") and moment < first_check]
    return answers[-1] - log[0][1], first_check - answers[-1]
