from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from postdeploy.plugin.signals import Signals, heed_one_interrupt


@pytest.fixture
def patience() -> Iterator[float]:
    """Seconds that a thread may keep the interpreter, as they are outside of a handler."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.02)
    yield 0.02
    sys.setswitchinterval(before)


@pytest.mark.parametrize("writing", [False, True], ids=["idle", "writing"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_busy_threads_give_way_to_the_seal(patience: float, number: signal.Signals, writing: bool) -> None:
    """While a verdict is sealed no other thread keeps the interpreter for long; afterwards all is as it was.

    A signal that comes while a record is written waits for the end of it.
    """
    told: list[tuple[str, float]] = []
    signals = Signals(lambda name: told.append((name, sys.getswitchinterval())))
    signals.install()
    try:
        with pytest.raises(KeyboardInterrupt, match=number.name):
            _interrupted(signals, number, told, writing=writing)
    finally:
        signals.restore()
    ((name, kept),) = told
    assert name == number.name
    assert kept <= 0.001
    assert sys.getswitchinterval() == pytest.approx(patience)


def test_a_worker_is_interrupted_once() -> None:
    """Whoever interrupts it again at once means the same; who does so much later does not want to wait for it."""
    now, before = 100.0, signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    heed_one_interrupt(lambda: now)
    try:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        now = 103.9
        os.kill(os.getpid(), signal.SIGINT)
        now = 104.0
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(signals: Signals, number: int, told: list[tuple[str, float]], *, writing: bool) -> None:
    if not writing:
        os.kill(os.getpid(), number)
        return
    with signals.postponed():
        os.kill(os.getpid(), number)
        assert not told
