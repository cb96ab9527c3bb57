"""Plain YAML scalars, and characters that must not be in a file.

The core schema of YAML 1.2 in its strictest reading: ``true``, ``false``, ``null``, ``~`` and numbers as JSON writes
them become values; everything else is text, so ``NO``, ``on``, ``010``, ``22:22``, ``2024-01-01`` and a commit such as
``12e4567`` stay what they look like.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["forbidden", "hidden", "resolve"]

_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMERIC: Final = frozenset("-0123456789")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,299})")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,299})\.[0-9]+(?:[eE][-+]?[0-9]{1,2})?")
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]|\u061c|\u00ad"
)


def resolve(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def forbidden(text: str) -> int | None:
    """The index of the first character that YAML does not allow, if there is one."""
    found = None if text.isascii() and text.isprintable() else _FORBIDDEN.search(text)
    return found.start() if found else None


def hidden(text: str) -> str | None:
    """The first character of a name or an address that cannot be seen or that reorders what is seen: ``U+202E``."""
    found = None if text.isprintable() else _HIDDEN.search(text)
    return f"U+{ord(found.group()):04X}" if found else None
