"""JSON as RFC 8259 has it and every reader understands it alike; what is wrong is told with its offset."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from postdeploy.domain.matcher import show

__all__ = ["DEPTH", "UnreadableError", "read_json"]

DEPTH: Final = 200
"""Levels of arrays and objects, after which a document is refused: whoever walks it must not run out of stack."""

_KEY: Final = 60
_BOM: Final = "\ufeff"
_PIECE: Final = r'(?s)"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+'
_ESCAPE: Final = r"(?s)\\(?:u([0-9a-fA-F]{4})|.)"


class UnreadableError(ValueError):
    """What was asked for cannot be read out of an observation, such as JSON out of an HTML page."""


def read_json(body: bytes | str) -> object:
    """A JSON document. Raises UnreadableError with what is wrong and where.

    Refused are NaN, numbers beyond a double, duplicate keys, halves of surrogate pairs, more than ``DEPTH`` levels.
    """
    text = (_decoded(body) if isinstance(body, bytes) else body).removeprefix(_BOM)
    try:
        document = _READER.decode(text)
    except _RefusedError as refused:
        raise UnreadableError(f"{refused}{_at(refused.place(text))}") from refused
    except json.JSONDecodeError as error:
        raise UnreadableError(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise _too_deep(text) from error
    except ValueError as error:
        raise UnreadableError(f"not JSON that can be read: {error}") from error
    if text.count("[") + text.count("{") > DEPTH and _depth(text)[0] > DEPTH:
        raise _too_deep(text)
    if "\\ud" in text or "\\uD" in text:
        _require_pairs(text)
    return document


class _RefusedError(Exception):
    """Something that Python's reader accepts."""

    def __init__(self, message: str, token: str, *, second: bool = False) -> None:
        self._token = token
        self._second = second
        super().__init__(message)

    def place(self, text: str) -> int | None:
        """The offset of the token, or of its second place as a key of one object."""
        if self._second:
            return next((at for key, at in _repeated(text) if key == self._token), None)
        return next((match.start() for match in re.finditer(_PIECE, text) if match[0] == self._token), None)


def _decoded(body: bytes) -> str:
    try:
        return body.decode(json.detect_encoding(body))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not JSON: bytes that are not {error.encoding} at offset {error.start}") from error


def _constant(name: str) -> object:
    raise _RefusedError(f"not JSON: {name} is not a JSON number", name)


def _float(literal: str) -> float:
    value = float(literal)
    if math.isinf(value):
        raise _RefusedError(
            f"not JSON that can be read: a number beyond what a double holds: {literal[:_KEY]}", literal
        )
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) == len(pairs):
        return document
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    raise _RefusedError(f"JSON with the key {show(twice, _KEY)} twice in one object", twice, second=True)


_READER: Final = json.JSONDecoder(parse_constant=_constant, parse_float=_float, object_pairs_hook=_unique)


def _at(offset: int | None) -> str:
    return "" if offset is None else f" at offset {offset}"


def _too_deep(text: str) -> UnreadableError:
    return UnreadableError(f"not JSON that can be read: nested too deeply{_at(_depth(text)[1])}")


def _depth(text: str) -> tuple[int, int | None]:
    """How deep it is nested, and where it gets too deep."""
    depth, deepest, place = 0, 0, None
    for match in re.finditer(_PIECE, text):
        if match[0] in "[{":
            depth += 1
            if depth > DEPTH and place is None:
                place = match.start()
            deepest = max(deepest, depth)
        elif match[0] in "]}":
            depth -= 1
    return deepest, place


def _repeated(text: str) -> Iterator[tuple[str, int]]:
    """Every key that stands a second time in its object, and where."""
    levels: list[set[str]] = []
    before: tuple[str, int] | None = None
    for match in re.finditer(_PIECE, text):  # pragma: no branch - the key that was refused comes before the end
        token = match[0]
        if token in {"{", "["}:
            levels.append(set())
        elif token in {"]", "}"} and levels:
            levels.pop()
        elif token == ":" and before and levels:  # noqa: S105
            key: Any = json.loads(before[0])
            if key in levels[-1]:
                yield key, before[1]
            levels[-1].add(key)
        before = (token, match.start()) if token.startswith('"') else None


def _require_pairs(text: str) -> None:
    high: tuple[int, int] | None = None
    for match in re.finditer(_ESCAPE, text):
        unit = int(match[1], 16) if match[1] else 0
        low = 0xDC00 <= unit <= 0xDFFF  # noqa: PLR2004  # Unicode 3.8, surrogates
        pairs = high is not None and low and high[1] == match.start()
        if high is not None and not pairs:
            raise _half(high[0])
        if low and not pairs:
            raise _half(match.start())
        high = (match.start(), match.end()) if 0xD800 <= unit <= 0xDBFF else None  # noqa: PLR2004
    if high is not None:
        raise _half(high[0])


def _half(offset: int) -> UnreadableError:
    return UnreadableError(f"not JSON that can be read: half of a surrogate pair at offset {offset}")
