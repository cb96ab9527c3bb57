"""PagerDuty, by Events API v2: one incident a target, and one a kind of alert, which is resolved when all is well.

Limits: 1,024 characters of a summary, 255 of a dedup key, 512 KB in all (developer.pagerduty.com, PD-CEF).
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from postdeploy.notify.message import Message, Tone, clipped

__all__ = ["payload"]

_SUMMARY: Final = 1024
_KEY: Final = 255
_FACT: Final = 1000
_SEVERITIES: Final = {Tone.BAD: "critical", Tone.UNSURE: "warning"}


def payload(message: Message) -> dict[str, Any]:
    """The event, but for its routing key."""
    event: dict[str, Any] = {"event_action": "trigger", "dedup_key": _dedup_key(message)}
    if message.tone is Tone.GOOD:
        return event | {"event_action": "resolve"}
    event["payload"] = {
        "summary": clipped(f"{message.title}: {message.cause or message.summary}", _SUMMARY),
        "source": message.target,
        "severity": _SEVERITIES[message.tone],
        "timestamp": message.at,
        "component": clipped(message.release or "", _KEY),
        "class": message.reason,
        "custom_details": {name: clipped(value, _FACT) for name, value in message.facts},
    }
    event["client"] = "pytest-postdeploy"
    if message.link:
        event["client_url"] = message.link
        event["links"] = [{"href": message.link, "text": "Open the run"}]
    return event


def _dedup_key(message: Message) -> str:
    """The same for every run about this target, also where nobody remembers the last one; alerts have their own."""
    about = message.target if message.alert is None else f"{message.target}/{message.alert.kind}"
    key = f"postdeploy/{about}"
    return key if len(key) <= _KEY else f"postdeploy/sha256:{hashlib.sha256(about.encode()).hexdigest()}"
