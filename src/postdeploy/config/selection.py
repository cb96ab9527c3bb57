"""JSON paths (RFC 9535). Plain ones such as ``$.a.b[0]['c']`` are walked here; the library serves all others."""

from __future__ import annotations

import re
from typing import Any, Final

from postdeploy.domain.selection import MISSING

__all__ = ["JsonPath", "JsonPathError"]

_SEGMENT: Final = re.compile(
    r"""\.([^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*)"""  # a name: letters, digits, _ and all that is not ASCII
    r"""|\[(-?[1-9][0-9]{0,14}|0)\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]"""
)


class JsonPathError(ValueError):
    """A path that is none."""


class JsonPath:
    """A compiled path. Raises JsonPathError for a text that is none."""

    __slots__ = ("_query", "_segments", "singular", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._query: Any = None
        self._segments = _plain(text)
        self.singular = True
        if self._segments is None:
            self._query = _compile(text)
            self.singular = self._query.singular_query()

    def select(self, document: object) -> object:
        """The one value of a singular path or ``MISSING``; a list of all values of any other path."""
        if self._segments is not None:
            return _walk(self._segments, document)
        values = [node.value for node in self._query.find(document)]
        if not self.singular:
            return values
        return values[0] if values else MISSING

    def __eq__(self, other: object) -> bool:
        """Equal paths are written alike."""
        return isinstance(other, JsonPath) and self.text == other.text

    def __hash__(self) -> int:
        """Hash of the text."""
        return hash(self.text)

    def __repr__(self) -> str:
        """As it shows in a debugger."""
        return f"JsonPath({self.text!r})"


def _plain(text: str) -> tuple[str | int, ...] | None:
    """The segments of a plain path; None for every other text."""
    if not text.startswith("$"):
        return None
    segments: list[str | int] = []
    position = 1
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            return None
        word, index, single, double = match.groups()
        segments.append(int(index) if index is not None else next(t for t in (word, single, double) if t is not None))
        position = match.end()
    return tuple(segments)


def _walk(segments: tuple[str | int, ...], value: Any) -> object:
    for segment in segments:
        if isinstance(segment, int):
            if not isinstance(value, list) or not -len(value) <= segment < len(value):
                return MISSING
        elif not isinstance(value, dict) or segment not in value:
            return MISSING
        value = value[segment]
    return value


def _compile(text: str) -> Any:
    from jsonpath_rfc9535 import JSONPathError, compile  # noqa: A004 - the library's own name

    try:
        return compile(text)
    except (JSONPathError, RecursionError, ValueError) as error:
        raise JsonPathError(str(error).partition(", line ")[0] or "it is too deep") from error
