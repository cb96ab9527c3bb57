from __future__ import annotations

import os
import select
import time
from types import SimpleNamespace
from typing import Any

import pytest

from postdeploy.cli import supervision
from postdeploy.cli.supervision import Ended, supervise


def test_the_end_of_the_run_wakes_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sleeps until its child ends, and does not look every now and then.

    The child ends only when the launcher has lain down, which would sleep for a minute here if nothing woke it.
    """
    waits, tell = os.pipe()
    woken: list[bool] = []

    def sleep(readers: list[int], writers: list[int], others: list[int], _patience: float) -> Any:
        os.write(tell, b"!")
        ready = select.select(readers, writers, others, 60)
        woken.append(bool(ready[0]))
        return ready

    def work() -> int:
        os.read(waits, 1)
        return 7

    monkeypatch.setattr(supervision, "select", SimpleNamespace(select=sleep))
    assert supervise(work, {}, lambda: time.time() + 90) == Ended(7)
    assert woken
    assert all(woken)
    os.close(waits)
    os.close(tell)
