"""Where the plugin keeps its state: on pytest's own objects, never in a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from postdeploy.domain.evidence import PlannedCheck
    from postdeploy.domain.result import CheckResult
    from postdeploy.domain.shard import Dealing
    from postdeploy.plugin.activity import Activity
    from postdeploy.plugin.console import Console
    from postdeploy.plugin.execution import Execution
    from postdeploy.plugin.items import Suites
    from postdeploy.plugin.recorder import Recorder

__all__ = ["ACTIVITY", "COLLECTED", "CONSOLE", "EXECUTION", "PAYLOAD", "PLANNED", "RECORDER", "RESULT", "SUITES"]

PAYLOAD: Final = "_postdeploy"
"""The attribute of a report; xdist carries it to the process that keeps the journal."""

EXECUTION: pytest.StashKey[Execution] = pytest.StashKey()
"""On the config of every process that may run items."""

RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()
"""On the config of the one process that keeps the journal."""

CONSOLE: pytest.StashKey[Console] = pytest.StashKey()
"""On the config of the process that people see: what it prints passes here."""

SUITES: pytest.StashKey[Suites] = pytest.StashKey()
"""On the config: what declared suites have told so far."""

DEALING: pytest.StashKey[Dealing] = pytest.StashKey()
"""On the config, with ``--shard-by``: how long checks took before."""

COLLECTED: pytest.StashKey[list[pytest.Item]] = pytest.StashKey()
"""On the config: every item that was collected, also those that are dropped afterwards."""

PLANNED: pytest.StashKey[PlannedCheck] = pytest.StashKey()
"""On every item: the check that it is."""

RESULT: pytest.StashKey[CheckResult] = pytest.StashKey()
"""On an item whose result is already known, such as a blocked one."""

ACTIVITY: pytest.StashKey[Activity] = pytest.StashKey()
"""On a Python test's item: what it exchanged with the target."""
