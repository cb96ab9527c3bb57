"""The end of the process that launched this one, noticed however it came."""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress
from typing import Final

__all__ = ["heed_launcher"]

_LIFELINE: Final = "POSTDEPLOY_LIFELINE"
"""Names a descriptor of a pipe whose other end the launcher holds."""


def heed_launcher() -> None:
    """Have the system send SIGTERM when the launcher is gone, however it went; Linux alone can."""
    told = os.environ.pop(_LIFELINE, "")
    if not told.isdecimal() or sys.platform != "linux":
        return
    import fcntl

    lifeline = int(told)
    with suppress(OSError):
        os.set_inheritable(lifeline, False)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGTERM)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        if select.select([lifeline], [], [], 0)[0]:  # it is gone already
            os.kill(os.getpid(), signal.SIGTERM)
