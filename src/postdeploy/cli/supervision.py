"""A child under a wall clock: its end is noticed at once, signals are passed on, and nothing that it started stays.

Like all of the launcher's own way it does without pathlib, which costs milliseconds.
"""

# ruff: noqa: PTH112, PTH208

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple, Self

from postdeploy.cli.forked import MARK, is_marked, live

__all__ = ["Ended", "Inbox", "supervise"]

_LIFELINE: Final = "POSTDEPLOY_LIFELINE"
"""The variable that tells the child a descriptor of a pipe that ends when we do."""

_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_GLANCE: Final = 5.0
"""Seconds after which the deadline is asked for again; the child tells it only when it has read its configuration."""

_LAST_WORDS: Final = 15.0
"""Seconds that a child has to seal its verdict after a signal."""

_KILL: Final = 5.0
"""Seconds between asking to end and ending."""

_LOOKS: Final = 100


class Ended(NamedTuple):
    """How the child ended: its status, negative for the signal that ended it, and what we did to it."""

    status: int
    forwarded: tuple[int, ...] = ()
    forced: bool = False


class Inbox:
    """The numbers of signals as they come, while it is open; an ignored one stays ignored (nohup)."""

    ENDING: Final = _FORWARDED

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._wakeup = signal.set_wakeup_fd(self._writer)
        heeded = [number for number in _FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
        self._former: dict[int, Any] = {
            number: signal.signal(number, lambda *_: None) for number in (signal.SIGCHLD, *heeded)
        }

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def received(self, patience: float) -> bytes:
        """The numbers of those that have come, within these seconds."""
        ready, _, _ = select.select([self._reader], [], [], patience)
        return os.read(self._reader, 4096) if ready else b""

    def close(self) -> None:
        """Give the signals back; harmless when repeated."""
        former, self._former = self._former, {}
        if former:
            for number, handler in former.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(self._wakeup)
            os.close(self._reader)
            os.close(self._writer)


def supervise(
    work: Callable[[], int], environment: dict[str, str], ends_at: Callable[[], float], inbox: Inbox | None = None
) -> Ended:
    """Do the work in a child, which is forked: a second interpreter would start for longer than a check takes.

    Args:
        work: what the child does; returns its exit status.
        environment: the environment of the child.
        ends_at: seconds of the monotonic clock at which the child is ended by force; asked again and again.
        inbox: where signals come in, if that is open already; it stays open.

    Returns:
        How it ended.
    """
    mark = os.urandom(8).hex()
    own = inbox or Inbox()
    child, lifeline = _fork()
    if not child:  # signals are its own again
        own.close()
        live(work, environment | {MARK: mark, _LIFELINE: str(lifeline)})
    try:
        return _oversee(child, own, ends_at, mark)
    finally:
        os.close(lifeline)
        if inbox is None:
            own.close()


def _fork() -> tuple[int, int]:
    """A child in a session of its own, as the terminal's Ctrl-C reaches it through us, and each one's end of a pipe."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    ends = os.pipe()
    child = os.fork()
    os.close(ends[not child])
    if not child:
        os.setsid()
        os.set_inheritable(ends[0], True)  # the work may be another program
    return child, ends[bool(child)]


def _oversee(child: int, inbox: Inbox, ends_at: Callable[[], float], mark: str) -> Ended:
    forwarded: list[int] = []
    status = _watch(child, inbox, ends_at, forwarded)
    forced = status is None
    if status is None:
        print("postdeploy: the run did not end in time and is ended by force", file=sys.stderr)
        status = _end(child, inbox)
    if forced or status < 0:
        _sweep(mark)
    return Ended(status, tuple(forwarded), forced)


def _watch(child: int, inbox: Inbox, ends_at: Callable[[], float], forwarded: list[int]) -> int | None:
    """The status of the child once it has ended; None if it has not when its time is over."""
    told = float("inf")
    while True:
        left = min(ends_at(), told) - time.monotonic()
        if left <= 0:
            return None
        for number in inbox.received(min(left, _GLANCE)):
            if number != signal.SIGCHLD:
                _signal(child, number)
                forwarded.append(number)
                told = min(told, time.monotonic() + _LAST_WORDS)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)


def _signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)


def _end(child: int, inbox: Inbox) -> int:
    """Tell the child that its time is over, which gives it the time to seal; then kill its group."""
    end = time.monotonic() + _KILL
    _signal(child, signal.SIGXCPU)
    status = _watch(child, inbox, lambda: end, [])
    if status is not None:
        return status
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _sweep(mark: str) -> None:
    """End whatever the child has left behind; each look may find what the last one's victims had just started."""
    for _ in range(_LOOKS):
        found = list(_marked(mark))
        if not found:
            return
        for process in found:
            _signal(process, signal.SIGKILL)
        time.sleep(0.01)


def _marked(mark: str) -> Iterator[int]:
    """The processes of Linux that have the mark; elsewhere, none can be found."""
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else ()):
        if is_marked(int(name), mark):
            yield int(name)
