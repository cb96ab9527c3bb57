"""How much of a run its reports cost: ``-p benchmarks.report_clock`` prints the seconds spent in writing them."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import pytest

from postdeploy.plugin.keys import RECORDER

_WRITERS: Final = ("postdeploy-Recorder", "postdeploy-TerminalReport")

_spent = 0.0


def _timed(function: Any) -> Any:
    def call(*arguments: Any) -> Any:
        global _spent  # noqa: PLW0603  # one process, one figure
        begun = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            _spent += time.perf_counter() - begun

    return call


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Put a clock around every hook of the plugins that write, and around the writing of the plan."""
    recorder: Any = session.config.stash[RECORDER]
    recorder.plan = _timed(recorder.plan)
    manager = session.config.pluginmanager
    for name in _WRITERS:
        plugin: Any = manager.get_plugin(name)
        for caller in manager.get_hookcallers(plugin) or []:
            implementation: Any
            for implementation in caller.get_hookimpls():
                if implementation.plugin_name == name:
                    implementation.function = _timed(implementation.function)


def pytest_unconfigure() -> None:
    """Say how long it was."""
    sys.stderr.write(f"reports: {_spent:.4f} s\n")
