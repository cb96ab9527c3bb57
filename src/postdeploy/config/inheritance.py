"""``extends``: a target takes over what another one says. Mappings are merged, everything else is replaced."""

from __future__ import annotations

from collections.abc import Mapping

from postdeploy.config.node import UNKNOWN, Node, seen
from postdeploy.config.report import Report
from postdeploy.config.wording import way_out

__all__ = ["resolve"]

_KEY = "extends"


def resolve(name: str, entries: Mapping[str, Node], report: Report) -> Node:
    """The entry of a target, merged with those that it extends; what cannot be followed is reported."""
    return _resolve(name, entries, report, (name,))


def _resolve(name: str, entries: Mapping[str, Node], report: Report, path: tuple[str, ...]) -> Node:
    entry = entries[name]
    if not isinstance(entry.value, dict) or _KEY not in entry.value:
        return entry
    reference = entry.value[_KEY]
    own = entry._replace(value={key: item for key, item in entry.value.items() if key != _KEY})
    base = _base(reference, entries, report, path)
    return own if base is None else _merge(_resolve(base, entries, report, (*path, base)), own)


def _base(reference: Node, entries: Mapping[str, Node], report: Report, path: tuple[str, ...]) -> str | None:
    base = reference.value
    if base is UNKNOWN:
        return None
    if not isinstance(base, str):
        report.add(reference.at, f"'extends' takes the name of one target, not {seen(reference)}")
    elif base in path:
        circle = " → ".join((*path[path.index(base) :], base))
        report.add(reference.at, f"'extends' goes in a circle: {circle}", "let one of them stand alone")
    elif base not in entries:
        report.add(reference.at, f"'extends' names the target '{base}', which is not here", way_out(base, entries))
    else:
        return base
    return None


def _merge(base: Node, own: Node) -> Node:
    if not isinstance(base.value, dict) or not isinstance(own.value, dict):
        return own
    merged = dict(base.value)
    for key, item in own.value.items():
        merged[key] = _merge(merged[key], item) if key in merged else item
    return own._replace(value=merged)
