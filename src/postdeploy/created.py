"""The ledger of what runs have created, on disk: appended to and synced before anything is sent, read back leniently.

It outlives its run: what a killed run has left is in it, for ``postdeploy sweep``. Whoever writes holds a shared lock,
which dies with its process, so that nobody sweeps beneath a run.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from postdeploy.documents import parse, read_regular, refuse_link, sync, why
from postdeploy.domain.creation import Creation, leftovers
from postdeploy.errors import JournalError

__all__ = ["LEDGER_FILE", "CreationLedger", "append_alone", "exclusive", "read_ledger"]

LEDGER_FILE: Final = "created.jsonl"

_ENCODE: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=str).encode


class CreationLedger:
    """Opened by the first entry; any thread may write.

    Args:
        path: the file.
        scrub: what every record passes through before it is written, so that no secret is.
    """

    def __init__(self, path: Path, scrub: Callable[[Any], Any] = lambda record: record) -> None:
        self.path = path
        self._scrub = scrub
        self._handle: int | None = None
        self._lock = threading.Lock()

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record, on disk for good when this returns. Raises JournalError."""
        with self._lock:
            try:
                if self._handle is None:
                    self._handle = self._open()
                os.write(self._handle, _ENCODE(self._scrub(record)).encode("ascii") + b"\n")
                os.fsync(self._handle)
            except (OSError, ValueError, TypeError, RecursionError) as error:
                raise JournalError(f"{self.path}: what is created cannot be noted: {why(error)}") from error

    def mine(self, run: str) -> tuple[Creation, ...]:
        """What this run has left so far."""
        with suppress(JournalError):
            return tuple(each for each in read_ledger(self.path) if each.run == run)
        return ()

    def close(self) -> None:
        """Write no more; a ledger in which nothing is left is taken away, unless somebody else writes to it."""
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is None:
                return
            os.close(handle)
        with suppress(JournalError, OSError), exclusive(self.path):
            if not read_ledger(self.path):
                self.path.unlink()

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        refuse_link(self.path)
        handle = self._take()
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            os.write(handle, b"\n")  # the last line of a killed run is torn
        return handle

    def _take(self) -> int:
        """The file and the lock; again where somebody has taken the file away before it was locked."""
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)
            _lock(handle, shared=True)
            with suppress(FileNotFoundError):
                if self.path.stat().st_ino == os.fstat(handle).st_ino:
                    sync(self.path.parent)
                    return handle
            os.close(handle)


class exclusive:  # noqa: N801  # used like a function
    """Hold a ledger alone, for as long as the context lasts. Raises JournalError while a run writes to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1

    def __enter__(self) -> None:
        """Take it."""
        self._handle = os.open(self._path, os.O_RDWR)
        try:
            _lock(self._handle, shared=False)
        except OSError as error:
            os.close(self._handle)
            raise JournalError(f"{self._path}: a run is still writing to it; wait until it has ended") from error

    def __exit__(self, *_: object) -> None:
        """Let it go."""
        os.close(self._handle)


def append_alone(path: Path, record: Mapping[str, Any]) -> None:
    """Append a record without secrets to a ledger that is held alone. Raises JournalError."""
    try:
        with path.open("ab") as file:
            file.write(_ENCODE(record).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise JournalError(f"{path}: cannot be written: {why(error)}") from error


def read_ledger(path: Path) -> tuple[Creation, ...]:
    """What is left, the newest first; nothing if there is no ledger. Raises JournalError.

    A torn line was written before its request was sent, so it stands for nothing.
    """
    try:
        lines = read_regular(path).split(b"\n")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise JournalError(f"{path}: the ledger cannot be read: {why(error)}") from error
    try:
        return leftovers(record for line in lines if (record := _record(line)) is not None)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"{path}: not a ledger: {error!r}") from error


def _record(line: bytes) -> Mapping[str, Any] | None:
    with suppress(ValueError, RecursionError):
        record = parse(line)
        return record if isinstance(record, dict) else None
    return None


def _lock(handle: int, *, shared: bool) -> None:
    """An advisory lock; on systems without them two runs share a ledger unguarded."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover - Windows
        return
    fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX | fcntl.LOCK_NB)
