"""Figures as tables: medians, ranges, ratios pair by pair, and whether a goal is reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from math import comb
from statistics import median
from typing import Final

from benchmarks.measure import Sample

__all__ = ["TIMES", "Finding", "Table", "at_most", "certain", "faster", "markdown", "ratio", "samples_table", "spread"]


TIMES: Final = "\N{MULTIPLICATION SIGN}"
_CLOCKS: Final = ("wall", "cpu")
TO: Final = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A goal, and what was measured."""

    goal: str
    measured: str
    reached: bool


@dataclass(slots=True)
class Table:
    """One benchmark's result."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def spread(values: Sequence[float], form: str = "{:.3f}", unit: str = "") -> str:
    """Median, and the range where there is more than one value."""
    middle = form.format(median(values)) + unit
    return middle if len(values) == 1 else f"{middle} ({form.format(min(values))}{TO}{form.format(max(values))})"


def ratio(samples: Mapping[str, Sequence[Sample]], name: str, reference: str, clock: str = "wall") -> list[float]:
    """Wall times (or CPU times) divided, round by round."""
    pairs = zip(samples[name], samples[reference], strict=False)
    return [getattr(one, clock) / getattr(other, clock) for one, other in pairs]


def at_most(goal: str, values: Sequence[float], limit: float, form: str = "{:.2f}", unit: str = f" {TIMES}") -> Finding:
    """A goal that the median must not exceed."""
    return Finding(goal, spread(values, form, unit), median(values) <= limit)


def faster(goal: str, values: Sequence[float], limit: float) -> Finding:
    """A goal that the median must reach."""
    return Finding(goal, spread(values, "{:.1f}", f" {TIMES}"), median(values) >= limit)


def certain(values: Sequence[float], doubt: float = 0.05) -> tuple[float, float]:
    """Between which two values the true median lies, but for this doubt; it assumes no distribution (sign test).

    With fewer than six values there is no such interval at 5 %: the range is returned.
    """
    ordered = sorted(values)
    chances = accumulate(comb(len(ordered), below) / 2 ** len(ordered) for below in range(len(ordered)))
    outside = max(sum(1 for chance in chances if chance <= doubt / 2), 1)
    return ordered[outside - 1], ordered[-outside]


def samples_table(title: str, samples: Mapping[str, Sequence[Sample]], reference: str) -> Table:
    """One row a command, with its wall time as a multiple of the reference's."""
    rows = [
        (
            name,
            spread([sample.wall for sample in taken]),
            spread([sample.cpu for sample in taken], "{:.2f}"),
            f"{median(sample.memory for sample in taken):.0f}",
            *(
                "1" if name == reference else spread(ratio(samples, name, reference, clock), "{:.2f}")
                for clock in _CLOCKS
            ),
        )
        for name, taken in samples.items()
    ]
    header = ("what", "wall s", "CPU s", "peak RSS MiB", f"{TIMES} {reference}", "the same in CPU")
    return Table(title, header, rows)


def markdown(table: Table, level: str = "##") -> str:
    """The table with its goals and notes."""
    parts = [f"{level} {table.title}", _grid(table.header, table.rows)]
    if table.findings:
        rows = [(found.goal, found.measured, "yes" if found.reached else "**no**") for found in table.findings]
        parts.append(_grid(("goal", "measured", "reached"), rows))
    parts += table.notes
    return "\n\n".join(parts) + "\n"


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def lines() -> Iterator[Sequence[str]]:
        yield header
        yield ["---"] * len(header)

    return "\n".join(f"| {' | '.join(row)} |" for row in chain(lines(), rows))
