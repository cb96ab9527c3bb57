"""A YAML document as a tree that knows where everything stands."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

__all__ = ["UNKNOWN", "Mark", "Node", "Place", "plain", "seen", "told"]

_SHOWN: Final = 60

Place = tuple[int, int]
"""A line and a column, both 1-based."""


class _Unknown:
    """The type of ``UNKNOWN``."""

    def __repr__(self) -> str:
        """As it shows in a debugger."""
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""Stands for a value that cannot be known here, such as a variable of a target that was not chosen; never judged."""


class Mark(Protocol):
    """A position as PyYAML gives it, 0-based."""

    line: int
    column: int


class Node(NamedTuple):
    """A value and its place.

    Args:
        value: None, a boolean, a number, a text, a list of nodes, a mapping of texts to nodes, or ``UNKNOWN``.
        text: a scalar exactly as it is written in the file; empty for everything else.
        start: where the value begins.
        name: where its key begins; the same as ``start`` where it has none.
        templated: whether a text in it holds ``${``.
    """

    value: Any
    text: str
    start: Mark
    name: Mark
    templated: bool = False

    @property
    def at(self) -> Place:
        """Where the value stands."""
        return self.start.line + 1, self.start.column + 1

    @property
    def key(self) -> Place:
        """Where its key stands."""
        return self.name.line + 1, self.name.column + 1


def told(node: Node, part: str) -> str:
    """A part of a text as messages show it: not where variables were filled in, for their values may be secret."""
    return part if node.value == node.text else node.text


def plain(node: Node) -> Any:
    """The value as Python builtins."""
    value = node.value
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    if type(value) is list:
        return [plain(item) for item in value]
    return value


def seen(node: Node) -> str:
    """What stands there, in the words of a message."""
    if isinstance(node.value, dict | list):
        noun = "mapping" if isinstance(node.value, dict) else "list"
        return f"a {noun}" if node.value else f"an empty {noun}"
    if node.value is None:
        return "nothing"
    return repr(node.text if len(node.text) <= _SHOWN else f"{node.text[: _SHOWN - 1]}…")
