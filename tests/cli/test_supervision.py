from __future__ import annotations

import json
import os
import select
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from postdeploy.cli import supervision
from postdeploy.cli.supervision import Ended, supervise
from postdeploy.cli.verify import latest_end


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
    assert supervise(work, {}, lambda: time.monotonic() + 90) == Ended(7)
    assert woken
    assert all(woken)
    os.close(waits)
    os.close(tell)


def test_a_clock_that_is_set_forward_ends_no_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The time of a run is measured by a clock that nobody can set."""
    ends_at = latest_end(str(tmp_path / "verdict.json"), "one", 60.0)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert supervise(lambda: 7, {}, ends_at) == Ended(7)


def test_a_run_has_its_own_deadline(tmp_path: Path) -> None:
    """Which it says by the clock of its machine, whatever that shows; until then, there is a longer one."""
    now, path = 1000.0, tmp_path / "verdict.json"
    ends_at = latest_end(str(path), "one", None, lambda: now)
    assert ends_at() == 1900.0
    for run, told in (
        ({"id": "one", "started": "2000-01-01T00:00:00.500Z", "ends_at": "soon"}, 1900.0),
        ({"id": "one", "started": "yesterday", "ends_at": 946684860.5}, 1900.0),
        ({"id": "other", "started": "2000-01-01T00:00:00.500Z", "ends_at": 946684860.5}, 1900.0),
        ({"id": "one", "started": "2000-01-01T00:00:00.500Z", "ends_at": 946684860.5}, 1094.0),
    ):
        path.write_text(json.dumps({"run": run}))
        now = 1004.0
        assert ends_at() == told
    now = 1050.0
    assert ends_at() == 1094.0
