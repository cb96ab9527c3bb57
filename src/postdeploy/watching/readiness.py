"""What systemd is told: that the monitor is ready, that it is alive, that it ends. See sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

__all__ = ["Readiness"]

_PLACE: Final = "NOTIFY_SOCKET"


class Readiness:
    """Says nothing where nobody asked; takes the variable away, so that no run speaks in our name.

    Args:
        environment: of this process.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._address = os.environ.pop(_PLACE, "") if environment is None else environment.get(_PLACE, "")
        if self._address.startswith("@"):  # a name without a file
            self._address = "\0" + self._address[1:]

    def tell(self, *facts: str) -> None:
        """Tell facts, such as ``READY=1``; that nobody listens is no fault of ours."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(1)
            sender.sendto("\n".join(facts).encode(), self._address)
