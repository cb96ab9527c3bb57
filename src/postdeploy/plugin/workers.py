"""xdist's workers as processes: who was lost, and that none outlives this one."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from postdeploy.engine.orphans import OrphanWatch
from postdeploy.plugin.recorder import Recorder

__all__ = ["Workers"]


class Workers:
    """Registered as a plugin in the process that keeps the journal; all its hooks are xdist's or come after it."""

    def __init__(self, recorder: Recorder, orphans: OrphanWatch) -> None:
        self._recorder = recorder
        self._orphans = orphans
        self._nodes: list[Any] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker's process was started."""
        self._nodes.append(node)
        if (process := _process(node)) is not None:
            self._orphans.watch(process.pid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker went away; xdist knows of an error if that was before its work was done."""
        if error:
            self._lost(node, str(error))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Let workers clean up now rather than when xdist loses patience, also those that Ctrl-C has not reached."""
        if str(excinfo.value) in {"SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU"}:
            for node in self._nodes:
                if (process := _process(node)) is not None:
                    process.send_signal(signal.SIGINT)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """All workers were waited for: one that broke after its last word has a status that xdist does not look at."""
        for node in tuple(self._nodes):
            process = _process(node)
            status = process.poll() if process is not None else None
            if status:
                self._lost(node, f"its process ended with status {status} after its work was done")

    def _lost(self, node: Any, why: str) -> None:
        if node in self._nodes:
            self._nodes.remove(node)
            lines = why.strip().splitlines() or ["no reason was given"]
            self._recorder.incident("worker_lost", f"worker {node.gateway.id}: {lines[-1][:500]}")


def _process(node: Any) -> Any:
    """The process behind a worker on this machine; execnet has no public word for it."""
    return getattr(getattr(node.gateway, "_io", None), "popen", None)
