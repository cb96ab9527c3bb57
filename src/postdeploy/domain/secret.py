"""A value that never prints, which parts of it are secret by themselves, and which values cannot be kept secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["LEAST", "MASK", "Secret", "parts", "weakness"]

MASK: Final = "***"

LEAST: Final = 8
"""Characters that a secret must have: a shorter value is found by chance in what is no secret."""

_LINE: Final = 16
_WORD: Final = 20
_VARIETY: Final = 4
_COMMON: Final = frozenset(
    (
        *("password1", "password12", "password123", "passw0rd", "p@ssw0rd", "p@ssword", "changeme1", "letmein1"),
        *("welcome1", "welcome123", "qwerty123", "qwerty12", "abc12345", "abcd1234", "admin123", "admin1234"),
        *("iloveyou1", "trustno1", "test1234", "test12345", "secret123", "secret12", "monkey123", "dragon123"),
        *("12345678", "123456789", "1234567890", "87654321", "11223344", "1q2w3e4r", "1qaz2wsx", "zaq12wsx"),
    )
)


class Secret:
    """A value that shows as ``***`` wherever it is printed, formatted or pickled; ``reveal()`` is the one way to it."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The value itself: for the moment a request is built, never for anything that is kept."""
        return self._value

    def __repr__(self) -> str:
        """Show the name, never the value."""
        return f"Secret({self.name!r}, {MASK})"

    def __str__(self) -> str:
        """Show the mask."""
        return MASK

    def __eq__(self, other: object) -> bool:
        """Equal secrets have equal names and values."""
        return isinstance(other, Secret) and (self.name, self._value) == (other.name, other._value)

    def __hash__(self) -> int:
        """Hash of name and value."""
        return hash((self.name, self._value))

    def __reduce__(self) -> tuple[type[Secret], tuple[str, str]]:
        """A pickled secret has lost its value."""
        return Secret, (self.name, MASK)


def weakness(value: str) -> str | None:
    """Why a value cannot be masked without hiding what is no secret, or None if it can; never tells the value."""
    if len(value) < LEAST:
        return f"is shorter than {LEAST} characters"
    if len(set(value)) < _VARIETY:
        return f"has fewer than {_VARIETY} different characters"
    if value.lower() in _COMMON:
        return "is a common password"
    plain_word = value.isalpha() and value[1:] in {value[1:].lower(), value[1:].upper()}
    return "is a single word" if plain_word and len(value) <= _WORD else None


def parts(value: str) -> Iterator[str]:
    """The value, and what in it is secret by itself: the lines of a key, the texts of a JSON document."""
    yield value
    if "\n" in value:
        yield from (line for line in map(str.strip, value.splitlines()) if _is_secret_line(line))
    if value[:1] in {"{", "["}:
        yield from (text for text in _texts(_document(value)) if weakness(text) is None)


def _is_secret_line(line: str) -> bool:
    return len(line) >= _LINE and not line.startswith("-----")


def _document(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield from (part for part in parts(document) if len(part) >= LEAST)
    elif isinstance(document, dict):
        for item in document.values():
            yield from _texts(item)
    elif isinstance(document, list):
        for item in document:
            yield from _texts(item)
