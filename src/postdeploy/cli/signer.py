"""The launcher's key: taken before the child starts, out of its reach, and used when the child is gone.

The child is a program of its own (exec), so that it has nothing of this process's memory. On Linux, this process also
gives up being readable by others of the same user. What signing takes is imported before the child starts, for code
of the child could alter the files that it would be imported from.
"""

from __future__ import annotations

import ctypes
import math
import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from postdeploy.documents import write_atomically
from postdeploy.domain.attestation import render_statement, statement
from postdeploy.dsse import seal_envelope
from postdeploy.errors import PostdeployError
from postdeploy.gate import Demand, believe
from postdeploy.journal import ENVELOPE_FILE
from postdeploy.signing import VARIABLE, PrivateKey, read_key

__all__ = ["Signer"]

_DESCRIPTOR: Final = re.compile(r"/(?:dev/fd|proc/self/fd)/(\d+)")
_PR_SET_DUMPABLE: Final = 4
_HOLD: Final = 10


class Signer:
    """Signs what the launcher has seen to the end, once it believes it.

    Args:
        place: a file, a descriptor as ``/dev/fd/3``, or a variable as ``env:NAME``. Raises SignatureError.
    """

    def __init__(self, place: str) -> None:
        _become_unreadable()
        self._key = PrivateKey.from_pem(read_key(place, os.environ))
        self._key.public()  # whatever is missing is told now, and the library is in this process's memory
        self._begun = time.time()
        _forget(place)

    def sign_or_hold(self, path: str, about: tuple[str, str | None, str], status: int) -> int:
        """Put an envelope beside the verdict; without one, a run neither promotes nor rolls back.

        Args:
            path: the verdict.
            about: target, release and run id of the run that this process has launched.
            status: what this process would exit with; returned if the verdict is signed.
        """
        try:
            self._sign(path, about, status)
        except PostdeployError as error:
            print(f"postdeploy: the verdict is not signed: {error}", file=sys.stderr)
            return _HOLD if status in {0, 20} else status
        return status

    def _sign(self, path: str, about: tuple[str, str | None, str], status: int) -> None:
        demand = Demand(*about, max_age=math.inf, now=time.time(), begun=self._begun, status=status)
        believed = believe(Path(path), demand)
        envelope = seal_envelope(render_statement(statement(*believed)), self._key)
        write_atomically(Path(path).with_name(ENVELOPE_FILE), envelope)


def _become_unreadable() -> None:
    """Neither memory nor environment of this process can be read by others, save by root (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _forget(place: str) -> None:
    """Leave nothing of the key to the child: neither a variable nor a descriptor."""
    descriptor = _DESCRIPTOR.fullmatch(place)
    if descriptor:
        with suppress(OSError):
            os.close(int(descriptor[1]))
    if place.startswith(VARIABLE):
        name = place.removeprefix(VARIABLE)
        _overwrite(name)
        del os.environ[name]


def _overwrite(name: str) -> None:
    """Blank the value where the kernel shows it, too: unsetting a variable leaves its bytes in /proc/PID/environ."""
    variables = ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")
    sign, number = f"{name}=".encode(), 0
    while variables[number]:
        entry = ctypes.string_at(variables[number])
        if entry.startswith(sign):
            ctypes.memset(variables[number], 0, len(entry))
        number += 1
