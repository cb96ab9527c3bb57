"""A run that goes on after its deadline is ended by force: tests can swallow their timeouts, and workers can hang."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Generator
from typing import Final

import pytest
from pytest_timeout import is_debugging

from postdeploy.plugin.execution import Execution
from postdeploy.plugin.recorder import Recorder
from postdeploy.plugin.unheard import say_at_once

__all__ = ["Overrun"]

_GRACE: Final = 4.0
"""Seconds after the deadline in which tests end by their own timeouts, and fixtures clean up."""

_LATE_START: Final = 20.0
"""Seconds after the deadline in which a run that has not collected yet may find out that it has nothing left to do."""

_CLOSE: Final = 3.0
"""Seconds for ending browser and server."""


class Overrun:
    """Registered as a plugin where the journal is kept; watches from the start of the session to the last item."""

    def __init__(self, config: pytest.Config, execution: Execution, recorder: Recorder) -> None:
        self._config = config
        self._execution = execution
        self._recorder = recorder
        self._timer: threading.Timer | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Begin to watch."""
        self._wind_up(_LATE_START)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """A worker can begin."""
        self._wind_up(_GRACE)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """What comes after the last item has bounds of its own."""
        if not self._execution.coordinates:
            self._wind_up(_GRACE)
        try:
            return (yield)
        finally:
            self._cancel()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """There was no loop, or it was left early."""
        self._cancel()

    def _wind_up(self, grace: float) -> None:
        self._cancel()
        self._timer = threading.Timer(max(0.0, self._execution.remaining()) + grace, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        """On the timer's thread: seal, say so, end what was started, and leave without asking the thread that hangs."""
        if is_debugging():
            return
        status = int(pytest.ExitCode.INTERNAL_ERROR)
        message = "the run went on after its deadline and was ended by force"
        with contextlib.suppress(Exception):  # the status says that there is no verdict
            self._recorder.end_early("deadline_exceeded", message)
            if self._recorder.verdict is not None:
                from postdeploy.domain.verdict import exit_status  # sealing has imported it

                status = exit_status(self._recorder.verdict)
        with contextlib.suppress(Exception):
            say_at_once(self._config, f"\npostdeploy: {message}\nverdict: {self._recorder.path}\n")
        closing = threading.Thread(target=self._execution.close, daemon=True)
        closing.start()
        closing.join(_CLOSE)
        self._execution.orphans.kill()
        os._exit(status)
