"""A test or a plugin that leaves the process with ``os._exit`` asks for a status that no run has earned.

Python tells nobody of ``os._exit``, so it is replaced while a session lasts, in the process that keeps the journal: the
verdict is sealed as interrupted first, and the status cannot be 0. Code that took hold of the function before, or goes
through C, still vanishes; what it leaves is a verdict that has only started.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Never

import pytest

from postdeploy.plugin.recorder import Recorder
from postdeploy.plugin.unheard import say_at_once

__all__ = ["AbruptEnd"]


class AbruptEnd:
    """Registered as a plugin where the journal is kept."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._config = config
        self._recorder = recorder
        self._process = os.getpid()
        self._exit = os._exit

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Stand in for it."""
        os._exit = self._leave

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Give it back."""
        os._exit = self._exit

    def _leave(self, status: int) -> Never:
        if os.getpid() != self._process:  # a child that was forked ends in this way, rightly
            self._exit(status)
        if self._recorder.verdict is None:
            message = f"the process was ended with os._exit({status})"
            with suppress(Exception):  # what could not be sealed has only started
                self._recorder.end_early("interrupted", message)
            with suppress(Exception):
                say_at_once(self._config, f"\npostdeploy: {message}\nverdict: {self._recorder.path}\n")
        self._exit(status or int(pytest.ExitCode.INTERRUPTED))
