"""One mail to an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from typing import Final

from postdeploy.domain.receiver import MailReceiver
from postdeploy.errors import NotificationError
from postdeploy.guard.authorities import authorities

__all__ = ["deliver_mail"]

_PATIENCE: Final = 8.0


def deliver_mail(made: EmailMessage, receiver: MailReceiver) -> None:
    """Hand it to the server of the receiver. Raises NotificationError."""
    try:
        with _connection(receiver) as server:
            if receiver.user and receiver.password:
                server.login(receiver.user, receiver.password.reveal())
            refused = server.send_message(made, receiver.sender, receiver.to)
    except smtplib.SMTPResponseException as error:
        raise NotificationError(f"answered {error.smtp_code}: {_text(error.smtp_error)}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotificationError(f"{type(error).__name__}: {error}") from None
    if refused:
        raise NotificationError(f"refused {len(refused)} of {len(receiver.to)} addresses")


def _connection(receiver: MailReceiver) -> smtplib.SMTP:
    """Protected as it is asked for: a server that cannot do so is not spoken to."""
    where = (receiver.host, receiver.port)
    if receiver.security == "tls":
        return smtplib.SMTP_SSL(*where, timeout=_PATIENCE, context=_context())
    server = smtplib.SMTP(*where, timeout=_PATIENCE)
    if receiver.security == "starttls":
        try:
            server.starttls(context=_context())
        except BaseException:
            server.close()
            raise
    return server


def _context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities())


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
