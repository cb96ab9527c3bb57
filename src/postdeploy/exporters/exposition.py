"""Prometheus's text format 0.0.4: families of samples as bytes, whatever stands in their labels.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from postdeploy.exporters.escaping import visible

__all__ = ["CONTENT_TYPE", "Family", "Sample", "exposition", "labelled"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Sample(NamedTuple):
    """Labels as ``labelled`` writes them, and the value."""

    labels: str
    value: float


class Family(NamedTuple):
    """What has one name; ``kind`` is ``gauge`` or ``counter``."""

    name: str
    help: str
    samples: Sequence[tuple[str, float]]
    kind: str = "gauge"


def exposition(families: Iterable[Family]) -> bytes:
    """The text; families without a sample are left out."""
    lines = [line for family in families if family.samples for line in _lines(family)]
    return ("\n".join(lines) + "\n" if lines else "").encode("utf-8", "backslashreplace")


def labelled(labels: Mapping[str, str]) -> str:
    """Labels as they stand between braces."""
    return ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items())


def _lines(family: Family) -> Iterator[str]:
    """Moments, in seconds since the epoch, are told to the millisecond, all else in nine digits."""
    name = family.name
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} {family.kind}"
    yield from [
        f"{name}{{{labels}}} {value:.9g}" if -_MOMENT < value < _MOMENT else f"{name}{{{labels}}} {value:.14g}"
        for labels, value in family.samples
    ]


_MOMENT: Final = 1e8


def _quoted(value: str) -> str:
    return visible(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
