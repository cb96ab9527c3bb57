"""The simple values: texts, names, numbers, flags, durations, and one word out of several."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from postdeploy.config.durations import HOW, seconds_of
from postdeploy.config.node import Node, seen
from postdeploy.config.report import Wrong
from postdeploy.config.scalars import hidden
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Type
from postdeploy.config.wording import listed, nearest
from postdeploy.domain.policy import VANTAGE_NAME

__all__ = [
    "DURATION",
    "FLAG",
    "LINE",
    "NAME_PATTERN",
    "TEXT",
    "VANTAGE",
    "choice",
    "count",
    "name_check",
    "number",
    "read_duration",
    "read_line",
    "read_text",
]

NAME_PATTERN: Final = "^[a-z][a-z0-9_]*$"
_NAME: Final = re.compile("[a-z][a-z0-9_]*")
_LONGEST: Final = 24 * 3600.0


def read_text(node: Node, _scope: Scope | None = None) -> str:
    """A text; a number or a flag stands for exactly what is written."""
    if isinstance(node.value, str):
        return node.value
    if node.value is None or isinstance(node.value, list | dict):
        raise Wrong(f"takes a text, not {seen(node)}")
    return node.text


def read_line(node: Node, scope: Scope | None = None) -> str:
    """A text of one line that is not empty and shows all that is in it."""
    text = read_text(node, scope)
    character = hidden(text)
    if character is not None:
        raise Wrong(f"holds the invisible character {character}", "remove it")
    if not text.strip():
        raise Wrong("is empty", "write a text")
    return text


def read_duration(node: Node, _scope: Scope | None = None) -> float:
    """Seconds, written ``500ms``, ``3s``, ``5m``, ``1h`` or as a plain number of seconds."""
    try:
        seconds = seconds_of("" if isinstance(node.value, bool) else read_text(node))
    except (ValueError, Wrong):
        raise Wrong(f"takes a duration, not {seen(node)}", HOW) from None
    if seconds > _LONGEST:
        raise Wrong(f"must be at most 24h, not {seen(node)}")
    return seconds


def _read_flag(node: Node, _scope: Scope) -> bool:
    if not isinstance(node.value, bool):
        raise Wrong(f"takes true or false, not {seen(node)}")
    return node.value


TEXT: Final = Type(read_text, {"type": ["string", "number", "boolean"]})
LINE: Final = Type(read_line, {"type": ["string", "number", "boolean"], "minLength": 1})
FLAG: Final = Type(_read_flag, {"type": "boolean"})
DURATION: Final = Type(
    read_duration,
    {
        "anyOf": [
            {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)?$"},
            {"type": "number", "exclusiveMinimum": 0},
        ]
    },
)


def choice(words: type[StrEnum] | tuple[str, ...]) -> Type:
    """One word out of several; the members of an enumeration are read as such."""
    known = tuple(str(word) for word in words)

    def read(node: Node, _scope: Scope) -> str:
        text = node.text if isinstance(node.value, str) else ""
        if text not in known:
            close = nearest(text, known)
            raise Wrong(f"takes {listed(known)}, not {seen(node)}", f"did you mean '{close}'?" if close else None)
        return words(text) if isinstance(words, type) else text

    return Type(read, {"enum": list(known)})


def count(least: int, most: int) -> Type:
    """A whole number between two bounds."""

    def read(node: Node, _scope: Scope) -> int:
        value = node.value
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Wrong(f"takes a whole number from {least} to {most}, not {seen(node)}")
        return value

    return Type(read, {"type": "integer", "minimum": least, "maximum": most})


def number() -> Type:
    """A number above zero."""

    def read(node: Node, _scope: Scope) -> float:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise Wrong(f"takes a number above 0, not {seen(node)}")
        return float(value)

    return Type(read, {"type": "number", "exclusiveMinimum": 0})


def name_check(noun: str, reserved: frozenset[str] = frozenset()) -> Callable[[str], None]:
    """A check that raises Wrong for a text that is no name of this kind."""

    def check(text: str) -> None:
        if not _NAME.fullmatch(text):
            raise Wrong(f"is no name of a {noun}", "begin with a letter; use a to z, 0 to 9 and _")
        if text in reserved:
            raise Wrong(f"cannot be the name of a {noun}", "the word is taken; choose another one")

    return check


def _read_vantage(node: Node, _scope: Scope) -> str:
    name = read_line(node)
    if not re.fullmatch(VANTAGE_NAME, name):
        raise Wrong(f"takes the name of a vantage, not {seen(node)}", "begin with a letter; use a to z, 0 to 9 and -")
    return name


VANTAGE: Final = Type(_read_vantage, {"type": "string", "pattern": f"^{VANTAGE_NAME}$"})
