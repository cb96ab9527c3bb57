"""Text that came from elsewhere, made fit for files and terminals."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["plain"]

_UNFIT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls but tab and line feed, what turns the direction of writing, and halves of surrogate pairs."""


def plain(text: str) -> str:
    """The text in valid UTF-8, with escapes for what would steer a terminal or show text in another order."""
    return _UNFIT.sub(lambda match: match[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))
