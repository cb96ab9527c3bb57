"""Declared HTTP checks: 20 to 10,000 of them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.measure import Command, Sample, interleave
from benchmarks.place import Place
from benchmarks.suites import declared, functions, k6_script
from benchmarks.tables import TIMES, Finding, Table, at_most, faster, ratio, samples_table, spread

__all__ = ["growth", "many", "some", "thousand"]

_IN_FLIGHT: Final = 50
_FLOOR: Final = "raw sockets"
_OURS: Final = "postdeploy"
_EMPTY: Final = "pytest, empty items"
_BARE: Final = ", autoload off"
_SHARED: Final = "pytest functions, one httpx2 client"
_K6: Final = 1.08
"""What k6 took as a multiple of raw sockets where both were measured together: 200 checks, 50 in flight."""

Samples = Mapping[str, Sequence[Sample]]


def some(place: Place) -> Iterator[Table]:
    """20 checks."""
    yield _against_empty_items(place, 20, place.rounds(9), 1.4)


def many(place: Place) -> Iterator[Table]:
    """200 checks, and peers."""
    count = 200
    extra = [
        place.pytest(_SHARED, functions(place.folder / f"functions-{count}", place.port, count), rounds=_peer(place)),
        *_k6(place, count),
    ]
    table = _against_empty_items(place, count, place.rounds(7), 1.8, extra)
    yield table


def thousand(place: Place) -> Iterator[Table]:
    """1,000 checks; the peer takes a minute, so it runs once."""
    count = 1000
    folder = declared(place.folder / f"declared-{count}", place.port, checks=count)
    shared = place.pytest(_SHARED, functions(place.folder / f"functions-{count}", place.port, count), rounds=1)
    commands = [place.script(_FLOOR, "floor.py", place.port, count, _IN_FLIGHT), place.ours(_OURS, folder)]
    commands += [place.ours(_OURS + _BARE, folder, autoload=False), place.noop(_EMPTY, folder), *_k6(place, count)]
    samples = interleave([*commands, shared], place.rounds(5))
    table = samples_table(f"{count:,} HTTP checks, 50 ms answers", samples, _FLOOR)
    table.findings = [
        at_most(f"at most 2 {TIMES} {_FLOOR}", ratio(samples, _OURS, _FLOOR), 2),
        at_most(f"at most 2 {TIMES} {_FLOOR}{_BARE}", ratio(samples, _OURS + _BARE, _FLOOR), 2),
        faster(f"at least 20 {TIMES} faster than {_SHARED}", ratio(samples, _SHARED, _OURS), 20),
    ]
    yield table


def growth(place: Place) -> Iterator[Table]:
    """How time and memory grow, and what the reports cost."""
    sizes = (10, 60, 120) if place.quick else (1, 1000, 5000, 10000)
    commands: list[Command] = []
    for size in sizes:
        folder = declared(place.folder / f"declared-{size}", place.port, checks=size)
        commands.append(place.ours(f"{size:,} checks", folder, "-p", "benchmarks.report_clock", autoload=False))
        commands.append(place.noop(f"{size:,} empty items", folder, autoload=False))
    samples = interleave(commands, place.rounds(2))
    table = samples_table("Growth, autoload off", samples, f"{sizes[-1]:,} empty items")
    table.findings = list(_growth_findings(samples, sizes))
    yield table


def _growth_findings(samples: Samples, sizes: Sequence[int]) -> Iterator[Finding]:
    first, middle, last = (samples[f"{size:,} checks"] for size in (sizes[0], sizes[-2], sizes[-1]))
    base, low, high = sizes[0], sizes[-2], sizes[-1]
    memory = (_memory(last) - _memory(first)) * 1024 / (high - base)
    yield Finding(f"at most 25 KiB a check, {high:,} checks", f"{memory:.1f} KiB", memory <= 25)
    slopes = [_wall(middle) - _wall(first), _wall(last) - _wall(middle)]
    each = [1000 * slopes[0] / (low - base), 1000 * slopes[1] / (high - low)]
    yield Finding(
        f"linear: a check beyond {low:,} costs at most 1.25 {TIMES} one before",
        f"{each[1] / each[0]:.2f} {TIMES} ({each[0]:.2f} ms, then {each[1]:.2f} ms)",
        each[1] <= 1.25 * each[0],
    )
    shares = [100 * _reports(sample) / sample.wall for sample in last]
    yield Finding("reports take at most 10 % of a run", spread(shares, "{:.1f}", " %"), median(shares) <= 10)


def _memory(samples: Sequence[Sample]) -> float:
    return median(sample.memory for sample in samples)


def _wall(samples: Sequence[Sample]) -> float:
    return median(sample.wall for sample in samples)


def _reports(sample: Sample) -> float:
    found = re.search(r"reports: ([\d.]+) s", sample.errors)
    assert found is not None, sample.errors
    return float(found[1])


def _against_empty_items(place: Place, count: int, rounds: int, limit: float, extra: Sequence[Command] = ()) -> Table:
    """The product, plain pytest with items that do nothing, and the floor; with plugins autoloaded, and without."""
    folder = declared(place.folder / f"declared-{count}", place.port, checks=count)
    samples = interleave(
        [
            place.script(_FLOOR, "floor.py", place.port, count, _IN_FLIGHT),
            place.noop(_EMPTY, folder),
            place.ours(_OURS, folder),
            place.noop(_EMPTY + _BARE, folder, autoload=False),
            place.ours(_OURS + _BARE, folder, autoload=False),
            *extra,
        ],
        rounds,
    )
    table = samples_table(f"{count} HTTP checks, 50 ms answers", samples, _FLOOR)
    for suffix in ("", _BARE):
        goal = f"at most {limit} {TIMES} {_EMPTY}{suffix}"
        table.findings.append(at_most(goal, ratio(samples, _OURS + suffix, _EMPTY + suffix), limit))
    if extra:
        _add_peers(table, samples)
    return table


def _add_peers(table: Table, samples: Samples) -> None:
    table.findings.append(faster(f"at least 8 {TIMES} faster than {_SHARED}", ratio(samples, _SHARED, _OURS), 8))
    peer = next((name for name in samples if name.startswith("k6")), None)
    for suffix in ("", _BARE):
        if peer:
            table.findings.append(at_most(f"at most 3 {TIMES} {peer}{suffix}", ratio(samples, _OURS + suffix, peer), 3))
        else:
            goal = f"at most 3 {TIMES} k6, taken as {_K6} {TIMES} {_FLOOR}{suffix}"
            values = [value / _K6 for value in ratio(samples, _OURS + suffix, _FLOOR)]
            table.findings.append(at_most(goal, values, 3))
    if not peer:
        table.notes.append(
            f"k6 is not installed here: it took {_K6} {TIMES} raw sockets where both were measured, so that stands in."
        )


def _peer(place: Place) -> int:
    return 1 if place.quick else 4


def _k6(place: Place, count: int) -> list[Command]:
    k6 = shutil.which("k6")
    script = k6_script(Path(place.folder), place.port, count)
    return [Command("k6, 50 VUs", (k6, "run", "--quiet", str(script)), place.folder)] if k6 else []
