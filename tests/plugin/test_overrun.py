"""A run that goes on after its deadline is ended by force, by a clock that nothing in a test can stop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest

from postdeploy.plugin.overrun import Overrun

ENDED = """
    import sys
    from types import SimpleNamespace
    from postdeploy.domain.verdict import Action, Conclusion, Reason, Verdict
    from postdeploy.plugin import overrun

    class Recorder:
        path = "reports/verdict.json"
        verdict = None

        def end_early(self, reason, message):
            print(reason, flush=True)
            {sealing}

    verdict = Verdict(Conclusion.{conclusion}, Reason.{reason}, Action.{action}, "sealed")
    orphans = SimpleNamespace(kill=lambda: print("orphans killed", flush=True))
    execution = SimpleNamespace(close=lambda: print("closed", flush=True), orphans=orphans)
    config = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=lambda name: None))
    overrun.is_debugging = lambda: {debugging}
    overrun.Overrun(config, execution, Recorder())._end()
    print("went on")
"""


LATE = {"conclusion": "INCONCLUSIVE", "reason": "DEADLINE_EXCEEDED", "action": "HOLD"}
CONFIRMED = {"conclusion": "FAIL", "reason": "CONFIRMED_FAILURE", "action": "ROLLBACK"}


def _ended(sealing: str, verdict: Mapping[str, str] = LATE, *, debugging: bool = False) -> Any:
    script = dedent(ENDED).format(sealing=sealing, debugging=debugging, **verdict)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)


def test_it_seals_ends_what_was_started_and_leaves_with_the_status_of_the_verdict() -> None:
    """In this order: what ends browsers can hang, too."""
    ended = _ended("self.verdict = verdict")
    assert (ended.returncode, ended.stdout.split("\n")) == (10, ["deadline_exceeded", "closed", "orphans killed", ""])
    assert "ended by force" in ended.stderr


def test_a_failure_that_was_confirmed_before_keeps_its_status() -> None:
    """The status is the verdict's, not that of an interruption."""
    assert _ended("self.verdict = verdict", CONFIRMED).returncode == 20


def test_where_nothing_can_be_sealed_the_status_is_that_of_an_error() -> None:
    """A disk that refuses is no reason to stay."""
    ended = _ended("raise OSError('disk full')")
    assert ended.returncode == 3
    assert "orphans killed" in ended.stdout


def test_nobody_is_thrown_out_of_a_debugger() -> None:
    """Somebody is looking at the test that takes so long."""
    assert _ended("pass", debugging=True).stdout == "went on\n"


def _watching(*, coordinates: bool) -> tuple[Overrun, Any]:
    execution: Any = SimpleNamespace(coordinates=coordinates, remaining=lambda: 1000.0)
    nothing: Any = None
    overrun = Overrun(nothing, execution, nothing)
    overrun.pytest_sessionstart()
    return overrun, overrun._timer


def _loop(overrun: Overrun) -> tuple[Any, Any]:
    """The clock while tests run, and whether it is stopped when they have."""
    loop = overrun.pytest_runtestloop()
    next(loop)
    during = overrun._timer
    with pytest.raises(StopIteration):
        loop.send(None)
    return during, overrun._timer


def test_a_run_may_be_late_with_its_start_and_less_so_with_its_tests() -> None:
    """Twenty seconds after the deadline before tests begin, four once they have."""
    overrun, first = _watching(coordinates=False)
    during, last = _loop(overrun)
    assert (first.interval, during.interval) == (1020.0, 1004.0)
    assert first.finished.is_set()
    assert last.finished.is_set()


def test_with_workers_the_clock_runs_from_their_collection() -> None:
    """The loop of the process that hands tests out begins before there is a worker."""
    overrun, first = _watching(coordinates=True)
    assert _loop(overrun)[0] is first
    overrun.pytest_xdist_node_collection_finished()
    assert overrun._timer is not None
    assert overrun._timer.interval == 1004.0
    overrun.pytest_sessionfinish()
    assert overrun._timer.finished.is_set()


def test_a_clock_that_rings_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late it is already, nothing is left to wait for but the grace."""
    execution: Any = SimpleNamespace(coordinates=False, remaining=lambda: -1000.0)
    nothing: Any = None
    overrun = Overrun(nothing, execution, nothing)
    rung = []
    monkeypatch.setattr(overrun, "_end", lambda: rung.append(True))
    overrun._wind_up(0.0)
    assert overrun._timer is not None
    overrun._timer.join(20)
    assert rung == [True]
