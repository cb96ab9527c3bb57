"""Signals that end a run from outside: the verdict is sealed first."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from types import FrameType
from typing import Any, Final, Never

from postdeploy.plugin.lifeline import heed_launcher

__all__ = ["Signals", "heed_one_interrupt"]

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU)

_HASTE: Final = 0.0001
"""Seconds that other threads may keep the interpreter while a verdict is sealed: it asks for it a few dozen times, and
Python's 5 ms come to a good part of a second where tests or plugins have busy threads."""

_UNTOUCHED: Final = nullcontext()
"""Around what a signal cannot break off: handlers run on the main thread alone."""

_ONE: Final = 4.0
"""Seconds in which interrupts of a worker are one; execnet interrupts it 5 s after it has asked it to end."""


def heed_one_interrupt(clock: Callable[[], float] = time.monotonic) -> None:
    """Have the first interrupt end what a worker does, and the next ones not break off how it cleans up.

    Ctrl-C reaches a worker by itself and, as any signal that ends the run, through the process that it works for.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    heard = -_ONE

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal heard
        if clock() - heard >= _ONE:
            heard = clock()
            raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


class Signals:
    """Turns signals into what Ctrl-C does, once; a signal that is ignored stays ignored (nohup).

    Args:
        told: called with the name of the signal, in its handler: whoever sent it may not wait for the run to end.
    """

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._before: dict[int, Any] = {}
        self._depth = 0
        self._waiting: str | None = None
        self._patience = sys.getswitchinterval()
        self._postponed = _Postponed(self)

    def install(self) -> None:
        """Take the signals over; only the main thread can, and only from Python's own handlers."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _ENDING:
            handler = signal.getsignal(number)
            if handler in {signal.SIG_DFL, signal.default_int_handler}:
                self._before[number] = handler
                signal.signal(number, self._interrupt)
        if signal.SIGTERM in self._before:
            heed_launcher()

    def restore(self) -> None:
        """Give the signals back."""
        before, self._before = self._before, {}
        for number, handler in before.items():
            signal.signal(number, handler)

    def postponed(self) -> AbstractContextManager[None]:
        """What must not be broken off in the middle, such as writing a record; other threads never are."""
        return self._postponed if threading.current_thread() is threading.main_thread() else _UNTOUCHED

    def begin(self) -> None:
        """From now on signals wait."""
        self._depth += 1

    def end(self, *, heed: bool) -> None:
        """As often as it began; the signal that came in between is heeded now, or at the next end."""
        self._depth -= 1
        if heed and self._waiting and not self._depth:
            name, self._waiting = self._waiting, None
            self._end(name)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        for each, handler in self._before.items():  # a second SIGTERM must not break the sealing, a second Ctrl-C may
            signal.signal(each, handler if each == signal.SIGINT else signal.SIG_IGN)
        self._patience = sys.getswitchinterval()
        sys.setswitchinterval(_HASTE)
        name = signal.Signals(number).name
        if self._depth:
            self._waiting = name
        else:
            self._end(name)

    def _end(self, name: str) -> Never:
        with suppress(Exception):  # what could not be sealed now is told at the end of the run
            self._told(name)
        sys.setswitchinterval(self._patience)
        raise KeyboardInterrupt(name)


class _Postponed:
    """A context that each record passes twice: a generator would cost several times as much."""

    __slots__ = ("_signals",)

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    def __enter__(self) -> None:
        self._signals.begin()

    def __exit__(self, kind: object, *_: object) -> None:
        self._signals.end(heed=kind is None)
