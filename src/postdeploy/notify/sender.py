"""Who hears what: everybody whose last news was another one, all at once, and within a bounded time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from postdeploy.domain.receiver import HttpReceiver, MailReceiver, Receiver
from postdeploy.domain.redaction import Redactor
from postdeploy.errors import NotificationError
from postdeploy.exporters.escaping import visible
from postdeploy.notify import discord, pagerduty, slack, teams, webhook
from postdeploy.notify.message import Message

__all__ = ["PATIENCE", "Delivery", "is_news", "send_all"]

PATIENCE: Final = 20.0
"""Seconds after which nobody is waited for any more."""

_PAYLOADS: Final[Mapping[str, Callable[[Message], dict[str, Any]]]] = {
    "slack": slack.payload,
    "teams": teams.payload,
    "discord": discord.payload,
    "pagerduty": pagerduty.payload,
    "webhook": webhook.payload,
}


class Delivery(NamedTuple):
    """A receiver, and why it could not be told; None if it was."""

    receiver: Receiver
    problem: str | None = None


def is_news(word: str, before: str | None, receiver: Receiver) -> bool:
    """Whether a receiver should hear this.

    Where nobody knows what it was told last, a pass is no news; but an incident that may be open is resolved.
    """
    if before is None:
        return not word.startswith("pass/") or receiver.kind == "pagerduty"
    return word != before


def send_all(news: Iterable[tuple[Receiver, Message]], patience: float = PATIENCE) -> list[Delivery]:
    """Tell everybody at the same time; whoever takes too long is left behind."""
    sending = [_Sending(receiver, message) for receiver, message in news]
    end = _Clock(patience)
    return [each.delivery(end.left()) for each in sending]


class _Clock:
    """Seconds that are left."""

    def __init__(self, patience: float) -> None:
        import time

        self._now = time.monotonic
        self._end = self._now() + patience

    def left(self) -> float:
        """Not below zero."""
        return max(0.0, self._end - self._now())


class _Sending:
    """One delivery on a thread of its own, which keeps no process from ending."""

    def __init__(self, receiver: Receiver, message: Message) -> None:
        self._receiver = receiver
        self._problem: str | None = "took too long"
        self._thread = threading.Thread(target=self._run, args=(message,), daemon=True)
        self._thread.start()

    def delivery(self, patience: float) -> Delivery:
        """What came of it."""
        self._thread.join(patience)
        problem = self._problem
        return Delivery(self._receiver, problem and Redactor(self._receiver.secrets).text(visible(problem)))

    def _run(self, message: Message) -> None:
        try:
            _tell(self._receiver, message)
        except NotificationError as error:
            self._problem = str(error)
        except Exception as error:  # noqa: BLE001  # news that cannot be told never changes what they are about
            self._problem = f"{type(error).__name__} while it was told"
        else:
            self._problem = None


def _tell(receiver: Receiver, message: Message) -> None:
    if isinstance(receiver, MailReceiver):
        from postdeploy.notify.mail import mail
        from postdeploy.notify.smtp import deliver_mail

        deliver_mail(mail(message, receiver), receiver)
    else:
        _post(receiver, message)


def _post(receiver: HttpReceiver, message: Message) -> None:
    from postdeploy.notify.post import Post, deliver

    content, headers = _PAYLOADS[receiver.kind](message), {"Content-Type": "application/json"}
    if receiver.kind == "pagerduty" and receiver.key:
        content["routing_key"] = receiver.key.reveal()
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    if receiver.kind == "webhook" and receiver.key:
        headers |= _signed(body, receiver.key.reveal())
    deliver(Post(receiver.url.reveal(), body, headers))


def _signed(body: bytes, key: str) -> dict[str, str]:
    import time
    import uuid

    return webhook.signed_headers(body, key, f"msg_{uuid.uuid4().hex}", int(time.time()))
