"""E-mail: plain text, one thread a target. Limit: 998 bytes of a line (RFC 5322), which the library sees to."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from postdeploy.domain.receiver import MailReceiver
from postdeploy.notify.message import Message, clipped

__all__ = ["mail"]

_SUBJECT: Final = 150
_LINE: Final = 2000


def mail(message: Message, receiver: MailReceiver) -> EmailMessage:
    """The mail; its id follows from what it says, so that one that is sent twice is one."""
    from datetime import datetime

    made = EmailMessage()
    host = receiver.sender.rpartition("@")[2]
    made["Subject"] = clipped(message.title, _SUBJECT)
    made["From"] = receiver.sender
    made["To"] = ", ".join(receiver.to)
    made["Date"] = format_datetime(datetime.fromisoformat(message.at))
    made["Message-ID"] = f"<{_digest(repr(message))}@{host}>"
    made["References"] = f"<{_digest(message.target)}@{host}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("\n".join(_lines(message)), charset="utf-8")
    return made


def _lines(message: Message) -> list[str]:
    facts = [f"{name}: {clipped(value, _LINE)}" for name, value in message.facts]
    link = ["", message.link] if message.link else []
    return [message.title, "", clipped(message.summary, _LINE), "", *facts, *link, ""]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
