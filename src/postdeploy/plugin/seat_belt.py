"""Around the code of tests: what goes past our clients is refused, and is an incident of the run."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.guard.peers import Peers
from postdeploy.guard.seat_belt import SeatBelt
from postdeploy.plugin.items import CheckItem
from postdeploy.plugin.keys import ACTIVITY

if TYPE_CHECKING:
    from postdeploy.plugin.execution import Execution

__all__ = ["Fastening"]


class Fastening:
    """Registered as a plugin: fastens the seat belt while test modules are imported and while tests run."""

    def __init__(self, execution: Execution) -> None:
        target = execution.target
        self._execution = execution
        self._belt = SeatBelt(Peers(target), frozenset(target.programs), self._alarm)
        self._told: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """From here on code of tests may run."""
        self._belt.wear()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, object, object]:
        """Modules are imported."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        with self._belt.fastened(f"importing {collector.nodeid}"):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fixtures begin."""
        return (yield from self._around(item))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """A test runs; one that goes on although a request of it was refused has not verified what it says."""
        result = yield from self._around(item)
        activity = item.stash.get(ACTIVITY, None)
        if activity is not None and activity.refused is not None:
            raise activity.refused
        return result

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fixtures end."""
        return (yield from self._around(item))

    def _around(self, item: pytest.Item) -> Generator[None, Any, Any]:
        if isinstance(item, CheckItem):
            return (yield)
        with self._belt.fastened(item.nodeid):
            return (yield)

    def _alarm(self, message: str) -> None:
        """Once for the same attempt, however often it is made."""
        if message in self._told:
            return
        self._told.add(message)
        recorder, worker = self._execution.recorder, self._execution.settings.worker
        if recorder is not None:
            recorder.incident("safety_violation", message)
        elif worker:
            self._execution.handover.tell_alarm(worker, message)
