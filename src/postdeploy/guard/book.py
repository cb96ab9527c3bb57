"""What a run has sent, written down once for all who send: in memory, or in a file that all its processes map.

Whoever changes it does so ``alone()``, some microseconds long. Moments are those of the machine's monotonic clock. A
process that dies gives back what it had in flight: its entry counts only while it lives.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

try:
    import fcntl
    import mmap
except ImportError:  # pragma: no cover - Windows: each process has a book of its own
    SHARES = False
else:
    SHARES = True

__all__ = ["SHARES", "Book"]

_WORD: Final = 8
_HEAD: Final = 16
_PROCESSES: Final = 256
_REQUESTS, _BYTES, _FLYING, _PEAK_FLYING, _SENT, _OLDEST, _PEAK_RATE, _STOPPED = range(8)
_UNTIL: Final = 0
_SECOND: Final = 1.0
_MOMENTS: Final = 8192
"""The most requests of one second that are told apart."""

_EARLY: Final = (_HEAD + 2 * _PROCESSES + 2 + 512) * _WORD
"""Bytes that every run touches, written at once: whoever touches a page that a full disk has no room for is killed."""


class Book:
    """Counts; knows no limits.

    Args:
        path: the file of a run with several processes; None keeps the book in this one.
        moments: of how many requests, at least, the moment must be remembered.
    """

    def __init__(self, path: Path | None = None, moments: int = 0) -> None:
        self.shared = path is not None
        self._ring = max(_MOMENTS, moments)
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._places: dict[int, int] = {}
        words = _HEAD + 2 * _PROCESSES + 2 + self._ring
        self._memory: Any = bytearray(words * _WORD) if path is None else self._mapped(path, words * _WORD)
        view = memoryview(self._memory)
        ends = (_HEAD * _WORD, (_HEAD + 2 * _PROCESSES) * _WORD, (_HEAD + 2 * _PROCESSES + 2) * _WORD)
        self._counts = view[: ends[0]].cast("Q")
        self._entries = view[ends[0] : ends[1]].cast("Q")  # process id, its requests in flight, and so on
        self._hours = view[ends[1] : ends[2]].cast("d")
        self._moments = view[ends[2] :].cast("d")

    @property
    def requests(self) -> int:
        """All that were let go."""
        return self._counts[_REQUESTS]

    @property
    def bytes(self) -> int:
        """Of their answers."""
        return self._counts[_BYTES]

    @property
    def flying(self) -> int:
        """Those that are on their way."""
        return self._counts[_FLYING]

    @property
    def peak_flying(self) -> int:
        """The most that were on their way at once."""
        return self._counts[_PEAK_FLYING]

    @property
    def peak_rate(self) -> int:
        """The most that were let go in any second."""
        return self._counts[_PEAK_RATE]

    @property
    def until(self) -> float:
        """Until when the target wants to be left alone; 0 where it never said so."""
        return self._hours[_UNTIL]

    @until.setter
    def until(self, moment: float) -> None:
        self._hours[_UNTIL] = moment

    @property
    def stopped(self) -> int:
        """Why nothing more is sent, as a number; 0 where it is."""
        return self._counts[_STOPPED]

    @stopped.setter
    def stopped(self, why: int) -> None:
        self._counts[_STOPPED] = why

    def sent_before(self, count: int) -> float | None:
        """When the request was let go that is so many back; None where there were not as many."""
        sent = self._counts[_SENT]
        return self._moments[(sent - count) % self._ring] if sent >= count else None

    def sent(self, now: float) -> None:
        """A request is let go; only alone."""
        counts = self._counts
        place = self._place()
        self._entries[place + 1] += 1
        counts[_REQUESTS] += 1
        counts[_FLYING] += 1
        counts[_PEAK_FLYING] = max(counts[_PEAK_FLYING], counts[_FLYING])
        self._moments[counts[_SENT] % self._ring] = now
        counts[_SENT] += 1
        oldest = max(counts[_OLDEST], counts[_SENT] - self._ring)
        while self._moments[oldest % self._ring] <= now - _SECOND:
            oldest += 1
        counts[_OLDEST] = oldest
        counts[_PEAK_RATE] = max(counts[_PEAK_RATE], counts[_SENT] - oldest)

    def ended(self, received: int) -> None:
        """A request has its answer; only alone."""
        self._counts[_BYTES] += received
        place = self._place()
        if self._entries[place + 1]:
            self._entries[place + 1] -= 1
            self._counts[_FLYING] -= 1

    def bury(self) -> None:
        """Forget what processes had in flight that are dead; only alone."""
        for place in range(0, len(self._entries), 2):
            pid = self._entries[place]
            if not pid:
                return
            if self._entries[place + 1] and not _lives(pid):
                self._counts[_FLYING] -= self._entries[place + 1]
                self._entries[place + 1] = 0

    def alone(self) -> AbstractContextManager[object]:
        """While nobody else writes."""
        return self._lock if self._handle is None else self._alone_in_file(self._handle)

    @contextmanager
    def _alone_in_file(self, handle: int) -> Iterator[None]:
        with self._lock:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file, if there is one; what it says stays known. Harmless when repeated."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _mapped(self, path: Path, size: int) -> Any:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        try:
            if os.fstat(self._handle).st_size < size:
                with open(self._handle, "wb", closefd=False) as file:  # not a path
                    file.write(bytes(_EARLY))
                os.ftruncate(self._handle, size)
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)
        return mmap.mmap(self._handle, size)

    def _place(self) -> int:
        """Where this process counts, which takes the first free place; a book in memory has no other processes."""
        if not self.shared:
            return 0
        mine = os.getpid()
        place = self._places.get(mine)
        if place is None:
            pids = self._entries[::2].tolist()
            place = 2 * next((at for at, pid in enumerate(pids) if pid in {0, mine}), len(pids) - 1)
            self._entries[place] = mine
            self._places[mine] = place
        return place


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
