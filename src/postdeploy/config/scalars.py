"""Plain YAML scalars, and characters that names must not hold.

The core schema of YAML 1.2 in its strictest reading: ``true``, ``false``, ``null``, ``~`` and numbers as JSON writes
them become values; everything else is text, so ``NO``, ``on``, ``010``, ``22:22``, ``2024-01-01`` and a commit such as
``12e4567`` stay what they look like.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["hidden", "resolve"]

_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMERIC: Final = frozenset("-0123456789")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,299})")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,299})\.[0-9]+(?:[eE][-+]?[0-9]{1,2})?")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories: control, format (which holds the bidirectional controls), surrogate, separators of lines."""


def resolve(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def hidden(text: str) -> str | None:
    """The first character of a name or an address that cannot be seen or that reorders what is seen: ``U+202E``."""
    if text.isprintable():
        return None
    from unicodedata import category

    return next((f"U+{ord(each):04X}" for each in text if category(each) in _HIDDEN), None)
