"""How plain values compare: as JSON means them, never by Python's conversions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["TYPES", "equal", "finite", "is_type", "ordered"]

TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def equal(value: object, expected: object) -> bool:
    """Whether two values are the same JSON: ``true`` is not 1."""
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, Mapping) and isinstance(expected, Mapping):
        return value.keys() == expected.keys() and all(equal(value[key], expected[key]) for key in value)
    if isinstance(value, list | tuple) and isinstance(expected, list | tuple):
        return len(value) == len(expected) and all(map(equal, value, expected))
    return value == expected


def ordered(compare: Callable[[float, float], bool]) -> Callable[[object, object], bool]:
    """A comparison that holds between two texts or two finite numbers only."""

    def test(value: object, bound: object) -> bool:
        if isinstance(value, str) and isinstance(bound, str):
            return compare(value, bound)  # type: ignore[arg-type]  # both are texts, which order as well
        return finite(value) and finite(bound) and compare(value, bound)  # type: ignore[arg-type]  # both are numbers

    return test


def finite(value: object) -> bool:
    """Whether a value is a number, and a finite one."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)  # isfinite fails on integers beyond a float


def is_type(value: object, name: object) -> bool:
    """Whether a value is of one of the ``TYPES``: a flag is no number."""
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[str(name)])
