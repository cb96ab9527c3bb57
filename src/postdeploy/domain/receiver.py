"""Who is told of a verdict, and by which way."""

from __future__ import annotations

import re
from typing import Final

from postdeploy.domain.secret import Secret
from postdeploy.lazy_dataclass import dataclass

__all__ = ["HttpReceiver", "MailReceiver", "Receiver"]

_PARTS: Final = re.compile("[/?&=]")
_HARD: Final = 16


@dataclass(frozen=True, slots=True)
class HttpReceiver:
    """Somebody who is told by an HTTP request.

    Args:
        name: as ``notify`` in targets.yaml has it.
        kind: ``slack``, ``teams``, ``discord``, ``pagerduty`` or ``webhook``.
        url: where to; for most services whoever knows it may post, so it is a secret.
        key: PagerDuty's routing key, or what a webhook is signed with.
    """

    name: str
    kind: str
    url: Secret
    key: Secret | None = None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What no message may show: the address, each part of it that nobody can guess, and the key."""
        url = self.url.reveal()
        hard = [Secret(self.url.name, part) for part in _PARTS.split(url) if len(part) >= _HARD]
        return (self.url, *hard, self.key) if self.key else (self.url, *hard)


@dataclass(frozen=True, slots=True)
class MailReceiver:
    """Somebody who is told by e-mail.

    Args:
        name: as ``notify`` in targets.yaml has it.
        to: addresses.
        sender: the address that it comes from.
        host: of the SMTP server.
        port: of the SMTP server.
        security: ``starttls``, ``tls`` or ``none``.
        user: to log in as; None does not log in.
        password: to log in with.
    """

    name: str
    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    security: str = "starttls"
    user: str | None = None
    password: Secret | None = None
    kind: str = "email"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What no message may show."""
        return (self.password,) if self.password else ()


Receiver = HttpReceiver | MailReceiver
