"""The folder in which a browser keeps its state: it goes with the browser, or, after a kill, with the next one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["Profile"]

_PREFIX: Final = "postdeploy-browser-"

_LOCK: Final = "in-use"
"""A file in the folder that the process locks that made it; the system takes the lock away when that dies."""


class Profile:
    """A new, empty folder for temporary files, locked as long as this process lives."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        _locks(self._lock)

    def remove(self) -> None:
        """Remove it, and those of processes that were killed."""
        with contextlib.suppress(OSError):
            os.close(self._lock)
        shutil.rmtree(self.path, ignore_errors=True)
        for each in self.path.parent.glob(f"{_PREFIX}*"):
            _remove_orphan(each)


def _remove_orphan(folder: Path) -> None:
    """Remove a folder of this user's that nobody has locked."""
    with contextlib.suppress(OSError):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        try:
            if _locks(lock):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _locks(descriptor: int) -> bool:
    """Lock a file if nobody else has; where there are no such locks, somebody may have."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
