"""Values as OTLP's JSON has them: every attribute with its type, 64-bit numbers as text, times in nanoseconds.

All of it is JSON text: a thousand checks have fifty thousand values, and one of Python's dictionaries for each of them
took three times as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, Final

from postdeploy.exporters.escaping import visible
from postdeploy.exporters.reading import moment

__all__ = ["array", "attributes", "measured", "nanoseconds", "number", "pairs", "quoted", "told"]

_LONGEST: Final = 2000
"""Characters of a text: receivers cut or refuse what is much longer."""


def quoted(value: object) -> str:
    """Text of ours or foreign text, as JSON."""
    return encode_basestring_ascii(visible(str(value))[:_LONGEST])


def array(parts: Iterable[str]) -> str:
    """A list of what is JSON already."""
    return f"[{','.join(parts)}]"


def attributes(facts: Mapping[str, Any]) -> str:
    """What is known of them."""
    return f"[{pairs(facts)}]"


def pairs(facts: Mapping[str, Any]) -> str:
    """The same without the brackets, to be put together with others."""
    return ",".join(
        [f'{{"key":{_key(key)},"value":{_value(value)}}}' for key, value in facts.items() if value is not None]
    )


def told(name: str, text: str) -> str:
    """One attribute whose text is JSON already: what is of one check alone is quoted once for all its spans."""
    return f'{{"key":{_key(name)},"value":{{"stringValue":{text}}}}}'


def measured(name: str, value: float) -> str:
    """One attribute that is a number. Raises ValueError for what JSON has not."""
    return f'{{"key":{_key(name)},"value":{{"doubleValue":{number(float(value))}}}}}'


@lru_cache(maxsize=256)
def _key(name: str) -> str:
    """Names are few."""
    return quoted(name)


def number(value: float) -> str:
    """A number as JSON. Raises ValueError for what JSON has not."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    return repr(value)


def nanoseconds(text: str | None, after: float = 0.0) -> str:
    """Since the epoch, of an RFC 3339 time and seconds after it; in quotes."""
    return f'"{round(1_000_000 * (moment(text) + after))}000"'


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return '{"boolValue":true}' if value else '{"boolValue":false}'
    if isinstance(value, int):
        return f'{{"intValue":"{value}"}}'
    if isinstance(value, float):
        return f'{{"doubleValue":{number(value)}}}'
    if isinstance(value, list):
        return f'{{"arrayValue":{{"values":{array(map(_value, value))}}}}}'
    return f'{{"stringValue":{quoted(value)}}}'


@lru_cache(maxsize=512)
def _text(value: str) -> str:
    """Most texts of a run stand in many of its spans."""
    plain = len(value) <= _LONGEST and value.isascii() and value.isprintable()
    return f'{{"stringValue":{encode_basestring_ascii(value) if plain else quoted(value)}}}'
