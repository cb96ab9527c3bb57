"""Saying that the monitor lives: one request after each run, so that its silence is noticed by somebody outside."""

from __future__ import annotations

from typing import Final

from postdeploy.domain.redaction import Redactor
from postdeploy.domain.secret import Secret
from postdeploy.errors import NotificationError

__all__ = ["beat"]

_PATIENCE: Final = 4.0


def beat(url: Secret) -> str | None:
    """Ask for the URL; why it did not work, without the URL, or None if it did."""
    from postdeploy.notify.post import Post, deliver

    try:
        deliver(Post(url.reveal(), None, {}), patience=_PATIENCE)
    except NotificationError as error:
        return Redactor((url,)).text(str(error))
    return None
