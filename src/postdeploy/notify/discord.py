"""Discord, by a webhook with one embed. Nobody is mentioned, and foreign text is escaped.

Limits of an embed: 256 characters of a title, 4,096 of a description, 25 fields with 256 and 1,024, 6,000 in all
(docs.discord.com/developers/resources/message).
"""

from __future__ import annotations

import re
from typing import Any, Final

from postdeploy.notify.message import Message, Tone, clipped

__all__ = ["payload"]

_COLORS: Final = {Tone.GOOD: 0x2E7D32, Tone.BAD: 0xC62828, Tone.UNSURE: 0xF9A825}
_TITLE: Final = 256
_DESCRIPTION: Final = 1500
_FIELD: Final = 500
_MARKUP: Final = re.compile(r"([\\`*_~|>#\[\]()<@:+.-])")


def payload(message: Message) -> dict[str, Any]:
    """The body of the request."""
    embed: dict[str, Any] = {
        "title": _text(f"{message.sign} {message.title}", _TITLE),
        "description": _text(message.summary, _DESCRIPTION),
        "color": _COLORS[message.tone],
        "timestamp": message.at,
        "fields": [{"name": name, "value": _text(value, _FIELD)} for name, value in message.facts],
    }
    if message.link:
        embed["url"] = message.link
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _text(text: str, longest: int) -> str:
    """Text whose escapes fit, too: none of them is cut in two."""
    escaped = clipped(_MARKUP.sub(r"\\\1", text), longest)
    ending = escaped.removesuffix("\N{HORIZONTAL ELLIPSIS}")
    odd = (len(ending) - len(ending.rstrip("\\"))) % 2
    return (ending[:-1] + escaped[len(ending) :] if odd else escaped) or "-"
