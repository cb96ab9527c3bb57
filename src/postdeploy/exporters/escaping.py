"""Foreign text made harmless for the place where it is written."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring_ascii
from typing import Any, Final

__all__ = [
    "encoded", "inert", "inert_json", "json_bytes", "markdown", "quoted", "visible", "workflow_message",
    "workflow_property", "xml_attribute", "xml_text",
]  # fmt: skip

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, directions of writing, surrogates, and what XML 1.0 does not allow."""

encoded: Final = json.JSONEncoder(allow_nan=False).encode
"""A value as JSON in ASCII. Raises ValueError for a NaN."""

quoted: Final = encode_basestring_ascii
"""A text as JSON in ASCII, with all that is invisible in it."""

_COMMAND: Final = re.compile(r"^(\s*)::", re.MULTILINE)
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&])")


def visible(text: str) -> str:
    """Characters that nobody sees, or that XML refuses, as escapes; line feeds and tabs stay."""
    if text.isascii() and text.isprintable():  # as nearly all of it is, and a report asks thousands of times
        return text
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text.replace("\r\n", "\n"))


def inert(text: str) -> str:
    """The same for text that a runner may print: none of its lines is a workflow command of GitHub's.

    The runner takes ``::`` at the beginning of a line and ``##[`` anywhere in it (actions/runner, ActionCommand.cs).
    """
    text = visible(text)
    if "::" in text and ("\n" in text or text.lstrip().startswith("::")):  # an id of a check has it within
        text = _COMMAND.sub(r"\1\\x3a\\x3a", text)
    return text.replace("##[", "#\\x23[")


def xml_text(text: str) -> str:
    """What is inert already, as text of an element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def xml_attribute(value: object) -> str:
    """Foreign text, or a number, within the quotes of an attribute."""
    text = xml_text(inert(str(value))).replace('"', "&quot;")
    return text if text.isprintable() else text.replace("\n", "&#10;").replace("\t", "&#09;")


def json_bytes(value: Any) -> bytes:
    """JSON in ASCII, on one line, that is no command where a log of GitHub's has it. Raises ValueError for a NaN."""
    return inert_json(encoded(value))


def inert_json(text: str) -> bytes:
    """The same for what is JSON in ASCII already, with or without the end of the line."""
    line = text.replace("##[", "#\\u0023[").encode("ascii")
    return line if line.endswith(b"\n") else line + b"\n"


def markdown(text: str) -> str:
    """One line of Markdown that is nothing but text, in a table as well."""
    line = " ".join(visible(text).split())
    return _MARKDOWN.sub(r"\\\1", line)


def workflow_message(text: str) -> str:
    """The message of a GitHub workflow command (source: actions/toolkit, command.ts)."""
    return visible(text).replace("##[", "#\\x23[").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_property(text: str) -> str:
    """A property of a GitHub workflow command."""
    return workflow_message(text).replace(":", "%3A").replace(",", "%2C")
