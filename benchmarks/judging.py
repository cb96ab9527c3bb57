"""The gate's own start: a pipeline waits for it before it promotes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.measure import Command, interleave, measure
from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Table, at_most, samples_table

__all__ = ["judging"]

_BARE: Final = "python -c pass"
_LIMIT: Final = 150


def judging(place: Place) -> Iterator[Table]:
    """From start to ruling about a signed verdict, with and without the key."""
    folder = declared(place.folder / "judged", place.port, checks=20)
    for words in (("keygen", "--out=some"), ("verify", "bench", "--sign-key=some.key")):
        measure(place.program(words[0], folder, *words))
    gate = ("gate", "--target=bench", "--max-age=24h")
    commands = [
        Command(_BARE, (place.environment.python, "-c", "pass"), folder),
        place.program("postdeploy gate", folder, *gate),
        place.program("postdeploy gate --public-key", folder, *gate, "--public-key=some.pub"),
    ]
    samples = interleave(commands, place.rounds(15))
    table = samples_table("The gate, start to ruling about 20 checks", samples, _BARE)
    for command in commands[1:]:
        walls = [1000 * sample.wall for sample in samples[command.name]]
        table.findings.append(at_most(f"{command.name}: at most {_LIMIT} ms", walls, _LIMIT, "{:.0f}", " ms"))
    yield table
