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
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from postdeploy.cli.forked import MARK, is_marked, live

__all__ = ["Ended", "supervise"]

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


def supervise(work: Callable[[], int], environment: dict[str, str], ends_at: Callable[[], float]) -> Ended:
    """Do the work in a child, which is forked: a second interpreter would start for longer than a check takes.

    Args:
        work: what the child does; returns its exit status.
        environment: the environment of the child.
        ends_at: seconds since the epoch at which the child is ended by force; asked again and again.

    Returns:
        How it ended.
    """
    mark = os.urandom(8).hex()
    with _inbox() as inbox:
        child, lifeline = _fork()
        ended = _oversee(child, inbox, ends_at, mark) if child else None
    if ended is None:  # this is the child, and signals are its own again
        live(work, environment | {MARK: mark, _LIFELINE: str(lifeline)})
    return ended


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


def _oversee(child: int, inbox: int, ends_at: Callable[[], float], mark: str) -> Ended:
    forwarded: list[int] = []
    status = _watch(child, inbox, ends_at, forwarded)
    forced = status is None
    if status is None:
        print("postdeploy: the run did not end in time and is ended by force", file=sys.stderr)
        status = _end(child, inbox)
    if forced or status < 0:
        _sweep(mark)
    return Ended(status, tuple(forwarded), forced)


@contextmanager
def _inbox() -> Iterator[int]:
    """A descriptor from which the numbers of signals can be read as they come; an ignored one stays ignored (nohup)."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    wakeup = signal.set_wakeup_fd(writer)
    heeded = [number for number in _FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
    former = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGCHLD, *heeded)}
    try:
        yield reader
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(reader)
        os.close(writer)


def _watch(child: int, inbox: int, ends_at: Callable[[], float], forwarded: list[int]) -> int | None:
    """The status of the child once it has ended; None if it has not when its time is over."""
    told = float("inf")
    while True:
        left = min(ends_at(), told) - time.time()
        if left <= 0:
            return None
        for number in _received(inbox, min(left, _GLANCE)):
            if number != signal.SIGCHLD:
                _signal(child, number)
                forwarded.append(number)
                told = min(told, time.time() + _LAST_WORDS)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)


def _received(inbox: int, patience: float) -> bytes:
    ready, _, _ = select.select([inbox], [], [], patience)
    return os.read(inbox, 4096) if ready else b""


def _signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)


def _end(child: int, inbox: int) -> int:
    """Tell the child that its time is over, which gives it the time to seal; then kill its group."""
    end = time.time() + _KILL
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
