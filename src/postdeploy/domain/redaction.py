"""Secrets that do not print, and text with every secret value masked."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "Redactor", "Secret"]

MASK: Final = "***"

_CUTS: Final = ("…", "...")
"""What stands where a limit has left something out: our own, and pytest's."""

_PREFIX: Final = 4
_BASE64: Final = 8


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


class Redactor:
    """Masks the values of known secrets in text; values learnt while the run goes on are added with ``learn``.

    A value is found as it is and as the formats of our reports spell it: JSON, URLs, HTML, shell, Python, base64.
    """

    def __init__(self, secrets: Mapping[str, Secret] | Iterable[Secret] = ()) -> None:
        known = secrets.values() if isinstance(secrets, Mapping) else secrets
        self._values: list[str] = []
        for secret in known:
            self.learn(secret)

    def learn(self, secret: Secret) -> None:
        """Mask this secret from now on."""
        value = secret.reveal()
        if value and value not in self._values:
            forms = {value, *_spellings(value), *_base64(value)}
            self._values = sorted(forms.union(self._values), key=lambda form: (-len(form), form))

    def text(self, text: str) -> str:
        """The text with each secret value replaced by the mask."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        if self._values:
            for cut in _CUTS:
                if cut in text:
                    text = self._around(text.split(cut), cut)
        return text

    def _around(self, pieces: list[str], cut: str) -> str:
        """What is left of a value of which a limit has cut off the end, the beginning, or both."""
        for value in self._values:
            pieces[:-1] = [_without_end(piece, value) for piece in pieces[:-1]]
            pieces[1:] = [_without_beginning(piece, value) for piece in pieces[1:]]
        return cut.join(pieces)

    def tree(self, value: object) -> object:
        """A JSON value with each secret value in its strings and keys replaced by the mask."""
        if not self._values:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        return value


def _without_end(text: str, value: str) -> str:
    """The text without the beginning of the value at its end."""
    start = text.find(value[:_PREFIX], max(0, len(text) - len(value)))
    while start >= 0 and not value.startswith(text[start:]):
        start = text.find(value[:_PREFIX], start + 1)
    return text if start < 0 or len(text) - start < _PREFIX else text[:start] + MASK


def _without_beginning(text: str, value: str) -> str:
    """The text without the end of the value at its beginning."""
    end = text.rfind(value[-_PREFIX:], 0, len(value))
    while end >= 0 and not value.endswith(text[: end + _PREFIX]):
        end = text.rfind(value[-_PREFIX:], 0, end + _PREFIX - 1)
    return text if end < 0 else MASK + text[end + _PREFIX :]


def _spellings(value: str) -> Iterator[str]:
    data = value.encode("utf-8", "surrogatepass")
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield value.replace("'", "'\"'\"'")  # as shlex.quote writes it
    yield quote_plus(data)
    for safe in ("", "/", "!~*'()"):
        yield quote(data, safe=safe)


def _base64(value: str) -> Iterator[str]:
    """What base64 makes of the value wherever in a longer text it stands: the letters that only the value decides."""
    data = value.encode("utf-8", "surrogatepass")
    if len(data) < _BASE64:  # the few letters of a short one would be found in what is no secret
        return
    for before in range(3):
        padded = bytes(before) + data
        own = slice((0, 2, 3)[before], len(padded) * 8 // 6)
        yield base64.b64encode(padded).decode()[own]
        yield base64.urlsafe_b64encode(padded).decode()[own]
