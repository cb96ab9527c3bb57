"""Microsoft Teams, by a workflow that posts an adaptive card. Foreign text stands in text runs, which know no Markdown.

Limit: 28 KB of a message (learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors).
"""

from __future__ import annotations

from typing import Any, Final

from postdeploy.notify.message import Message, Tone, clipped

__all__ = ["payload"]

_CARD: Final = "application/vnd.microsoft.card.adaptive"
_COLORS: Final = {Tone.GOOD: "good", Tone.BAD: "attention", Tone.UNSURE: "warning"}
_TITLE: Final = 250
_TEXT: Final = 1500
_FACT: Final = 500


def payload(message: Message) -> dict[str, Any]:
    """The body of the request."""
    title = _run(clipped(f"{message.sign} {message.title}", _TITLE), weight="bolder", size="large")
    title["color"] = _COLORS[message.tone]
    facts = [[_run(f"{name}: ", weight="bolder"), _run(clipped(value, _FACT))] for name, value in message.facts]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": clipped(message.title, _TITLE),
        "msteams": {"width": "Full"},
        "body": [
            *map(_block, ([title], [_run(clipped(message.summary, _TEXT))], *facts)),
        ],
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the run", "url": message.link}]
    return {"type": "message", "attachments": [{"contentType": _CARD, "contentUrl": None, "content": card}]}


def _block(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text or "-", **style}
