"""``history`` in targets.yaml: where runs are remembered, and how long."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from postdeploy.config.node import UNKNOWN, Node
from postdeploy.config.report import Report, Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, Type
from postdeploy.config.sources import Sources
from postdeploy.config.values import LINE, count, read_line
from postdeploy.config.variables import expand
from postdeploy.domain.retention import Retention

__all__ = ["HISTORY", "KEY", "HistoryEntry", "read_history"]

KEY: Final = "history"

_LONGEST: Final = 3660


class HistoryEntry(NamedTuple):
    """What the file says; ``place`` is a path relative to its folder, or a URL of PostgreSQL."""

    place: str
    retention: Retention


_SHAPE: Final = Shape(
    {
        "place": Field(
            LINE, "A file, relative to the folder of this one, or postgresql://USER@HOST/DATABASE.", required=True
        ),
        "days": Field(count(1, _LONGEST), "How many days results of single checks are kept. Default: 90."),
        "sum_days": Field(count(1, _LONGEST), "How many days runs and sums by day are kept. Default: 400."),
    }
)


def _read(node: Node, scope: Scope) -> dict[str, Any]:
    if not isinstance(node.value, dict):
        return {"place": read_line(node)}
    values = _SHAPE.read(node, scope)
    default = Retention()
    if values.get("sum_days", default.sums) < values.get("days", default.results):
        raise Wrong("keeps sums for a shorter time than results", "let sum_days be at least days")
    return values


HISTORY: Final = Field(
    Type(_read, {"anyOf": [LINE.schema, _SHAPE.schema]}), "Where runs are remembered. Default: nowhere."
)


def read_history(root: Node, report: Report, sources: Sources, *, required: bool) -> HistoryEntry | None:
    """What the document says of a history, if anything; variables must be set only where they are ``required``."""
    found = root.value.get(KEY)
    if found is None:
        return None
    node = expand(root._replace(value={KEY: found}), sources, report, required=required).value[KEY]
    if node.value is UNKNOWN:
        return None
    try:
        values = _read(node, Scope(report))
    except Wrong as wrong:
        report.wrong(f"'{KEY}'", node, wrong)
        return None
    default = Retention()
    retention = Retention(values.get("days", default.results), values.get("sum_days", default.sums))
    return HistoryEntry(values["place"], retention) if "place" in values else None
