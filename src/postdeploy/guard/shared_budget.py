"""The meter of a run with a budget: one file that all its processes count in, so that ``-n`` multiplies nothing.

The file is mapped into memory and locked for each step, some microseconds long. Its clock is the machine's monotonic
one. A process that dies gives back what it had in flight: its entry counts only while it lives.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from postdeploy.domain.target import Budget
from postdeploy.guard.budget import BudgetSpentError, facts_of

__all__ = ["SharedMeter"]

_HEAD: Final = struct.Struct("<QQQQ")  # requests, bytes, peak in flight, requests in the window's ring
_ENTRY: Final = struct.Struct("<QQ")  # process id, its requests in flight
_MOMENT: Final = struct.Struct("<d")
_PROCESSES: Final = 256
_BUSY: Final = 0.005
"""Seconds after which to ask again where too many are in flight: whoever ends one may be another process."""


class SharedMeter:
    """As ``budget.Meter``, for all processes that open the same file."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self.path = path
        self.allowed = budget.requests
        self.bytes_allowed = budget.bytes
        self._in_flight = budget.in_flight
        rate = budget.per_second
        self._window = max(1.0, 1.0 / rate) if rate else 0.0
        self._ring = max(1, int(rate)) if rate else 0
        self._lock = threading.Lock()
        self._moments = _HEAD.size + _PROCESSES * _ENTRY.size
        size = self._moments + self._ring * _MOMENT.size
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with self._alone():
            if os.fstat(self._handle).st_size < size:
                os.ftruncate(self._handle, size)
        self._map = mmap.mmap(self._handle, size)

    @property
    def used(self) -> int:
        """Requests of all processes so far."""
        return int(_HEAD.unpack_from(self._map)[0])

    @property
    def bytes(self) -> int:
        """Bytes of their answers."""
        return int(_HEAD.unpack_from(self._map)[1])

    @property
    def peak(self) -> int:
        """The most that were in flight at once."""
        return int(_HEAD.unpack_from(self._map)[2])

    @property
    def spent(self) -> str | None:
        """What is used up, so that no request may follow; None while there is something left."""
        if self.allowed is not None and self.used >= self.allowed:
            return f"{self.allowed} requests"
        if self.bytes_allowed is not None and self.bytes >= self.bytes_allowed:
            return f"{self.bytes_allowed} bytes"
        return None

    def take(self, now: float) -> float:
        """Seconds to wait before the next request; 0 where it may go, which counts it. Raises BudgetSpentError."""
        with self._alone():
            spent = self.spent
            if spent is not None:
                raise BudgetSpentError(spent)
            wait = self._wait(now)
            if wait <= 0:
                self._count(now)
        return wait

    def note(self) -> None:
        """Count a request that does not wait."""
        with self._alone():
            used, *rest = _HEAD.unpack_from(self._map)
            _HEAD.pack_into(self._map, 0, used + 1, *rest)

    def give_back(self, received: int = 0) -> None:
        """A request that was let go has ended, with so many bytes of an answer."""
        with self._alone():
            used, size, peak, ring = _HEAD.unpack_from(self._map)
            _HEAD.pack_into(self._map, 0, used, size + received, peak, ring)
            place = self._own()
            pid, flying = _ENTRY.unpack_from(self._map, place)
            _ENTRY.pack_into(self._map, place, pid, max(0, flying - 1))

    def facts(self) -> dict[str, int | None]:
        """What the verdict says of it."""
        return facts_of(self)

    def close(self) -> None:
        """Let go of the file."""
        with suppress(BufferError, ValueError):
            self._map.close()
        with suppress(OSError):
            os.close(self._handle)

    def _wait(self, now: float) -> float:
        if self._flying() >= self._in_flight:
            return _BUSY
        ring = _HEAD.unpack_from(self._map)[3]
        if not self._ring or ring < self._ring:
            return 0.0
        oldest: float = _MOMENT.unpack_from(self._map, self._moments + ring % self._ring * _MOMENT.size)[0]
        return max(0.0, oldest + self._window - now)

    def _count(self, now: float) -> None:
        used, size, peak, ring = _HEAD.unpack_from(self._map)
        place = self._own()
        pid, flying = _ENTRY.unpack_from(self._map, place)
        _ENTRY.pack_into(self._map, place, pid, flying + 1)
        if self._ring:
            _MOMENT.pack_into(self._map, self._moments + ring % self._ring * _MOMENT.size, now)
        _HEAD.pack_into(self._map, 0, used + 1, size, max(peak, self._flying()), ring + 1)

    def _entries(self) -> Iterator[tuple[int, int, int]]:
        for place in range(_HEAD.size, self._moments, _ENTRY.size):
            pid, flying = _ENTRY.unpack_from(self._map, place)
            if not pid:
                return
            yield place, pid, flying

    def _flying(self) -> int:
        total = sum(flying for _, _, flying in self._entries())
        if total < self._in_flight:
            return total
        for place, pid, flying in self._entries():
            if flying and not _lives(pid):
                _ENTRY.pack_into(self._map, place, pid, 0)
                total -= flying
        return total

    def _own(self) -> int:
        """Where this process counts, which takes the first free place."""
        mine, last = os.getpid(), _HEAD.size - _ENTRY.size
        for place, pid, _ in self._entries():
            if pid == mine:
                return place
            last = place
        _ENTRY.pack_into(self._map, last + _ENTRY.size, mine, 0)
        return last + _ENTRY.size

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
