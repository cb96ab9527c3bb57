"""Slack, by an incoming webhook with blocks. Foreign text is ``plain_text``: no markup, no mentions.

Limits: 150 characters of a header, 3,000 of a text, 10 fields of a section (docs.slack.dev/reference/block-kit/blocks).
"""

from __future__ import annotations

from typing import Any, Final

from postdeploy.notify.message import Message, clipped

__all__ = ["payload"]

_HEADER: Final = 150
_TEXT: Final = 1500
_FIELD: Final = 500


def payload(message: Message) -> dict[str, Any]:
    """The body of the request."""
    title = f"{message.sign} {message.title}"
    facts = [_plain(f"{name}: {value}", _FIELD) for name, value in message.facts]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(title, _HEADER)},
        {"type": "section", "text": _plain(message.summary, _TEXT)},
        {"type": "section", "fields": facts},
    ]
    if message.link:
        link = f"<{_escaped(message.link)}|Open the run>"
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": link}})
    return {"text": _escaped(clipped(title, _HEADER)), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _plain(text: str, longest: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": clipped(text, longest) or "-", "emoji": False}


def _escaped(text: str) -> str:
    """Text that is neither a link, a mention nor a channel (docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
