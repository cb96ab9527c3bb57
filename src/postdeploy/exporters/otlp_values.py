"""Values as OTLP's JSON has them: every attribute with its type, 64-bit numbers as text, times in nanoseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from postdeploy.exporters.escaping import visible
from postdeploy.exporters.reading import moment

__all__ = ["LONGEST", "Json", "attributes", "nanoseconds"]

Json = dict[str, Any]

LONGEST: Final = 2000
"""Characters of a text: receivers cut or refuse what is much longer."""


def attributes(facts: Mapping[str, Any]) -> list[Json]:
    """What is known of them."""
    return [{"key": key, "value": _value(value)} for key, value in facts.items() if value is not None]


def _value(value: Any) -> Json:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": visible(str(value))[:LONGEST]}


def nanoseconds(text: str | None, after: float = 0.0) -> str:
    """Since the epoch, of an RFC 3339 time and seconds after it."""
    return str(round(1_000_000 * (moment(text) + after)) * 1000)
