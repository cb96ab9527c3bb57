"""Text that came from elsewhere, made fit for files, terminals and build logs."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["console", "plain"]

_BIDI: Final = "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_UNFIT: Final = f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}\ud800-\udfff]"
"""Controls but tab and line feed, what turns the direction of writing, and halves of surrogate pairs."""

_UNLESS_OURS: Final = f"(\x1b\\[[0-9;]*m|\x1b\\]9;4;[0-9;]*\x1b\\\\)|{_UNFIT}"
"""The same, but for the colours and the progress that a test runner shows on a terminal."""

_COMMAND: Final = re.compile(r"(^|\n)((?:[^\S\n]|\x1b\[[0-9;]*m)*)::")


def plain(text: str) -> str:
    """The text in valid UTF-8, with escapes for what would steer a terminal or show text in another order."""
    return text if _is_fit(text) else re.sub(_UNFIT, _escape, text.replace("\r\n", "\n"))


def console(text: str, *, terminal: bool = False) -> str:
    """The text for a terminal or a build log: plain, and no line of it is a command of GitHub's runner.

    The runner takes ``::`` at the beginning of a line for a command, and ``##[`` anywhere in it. A piece counts as the
    beginning of a line, since two streams may share one log.

    Args:
        text: what is written.
        terminal: whether colours and the sign of progress may stay, as pytest writes them there.
    """
    if not _is_fit(text) and re.search(_UNFIT, text):
        text = text.replace("\r\n", "\n")
        text = re.sub(_UNLESS_OURS, _unless_ours, text) if terminal else re.sub(_UNFIT, _escape, text)
    if "##[" in text:
        text = text.replace("##[", "#\\x23[")
    if "::" in text:
        text = _COMMAND.sub(r"\1\2\\x3a\\x3a", text)
    return text


def _is_fit(text: str) -> bool:
    """Whether there is certainly nothing unfit in a text: most are found to be so faster than by looking for it."""
    return text.isascii() and text.isprintable()


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _unless_ours(match: re.Match[str]) -> str:
    return match[1] or _escape(match)
