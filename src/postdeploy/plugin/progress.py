"""Telling people that something is still going on: a live line on a terminal, now and then a line in a log."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from postdeploy.domain.result import CheckResult
from postdeploy.engine.engine import Engine, Readiness

__all__ = ["Progress"]

_T = TypeVar("_T")

_TICK: Final = 0.5
_PATIENCE: Final = 3.0
"""Seconds of silence before anything is said."""

_LOG_EVERY: Final = 15.0


class Progress:
    """Writes to pytest's terminal, if there is one; a live line is taken back when the wait is over."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._shown = False
        self._file: object = None

    def say(self, text: str | None) -> None:
        """One line that stays."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if text and reporter is not None and reporter.verbosity >= 0:
            reporter.write_line(text)

    def wait_ready(self, engine: Engine) -> Readiness:
        """Wait for preflight and the release, showing how far they are."""

        def line() -> str | None:
            waiting = engine.waiting()
            if waiting is None:
                return None
            return f"waiting for the release, {waiting.waited:.0f} of {waiting.within:g} s: " + "; ".join(waiting.lines)

        return self._await(engine.ready, line)

    def wait(self, result: Future[CheckResult], unfinished: Callable[[], int]) -> CheckResult:
        """Wait for the result of a check, showing how many are open."""
        if result.done():
            return result.result()
        return self._await(result, lambda: _open(unfinished()))

    def _await(self, future: Future[_T], line: Callable[[], str | None]) -> _T:
        begun = spoken = time.monotonic()
        while True:
            try:
                value = future.result(_TICK)
            except NotYetError:
                now = time.monotonic()
                if self._live or (now - begun >= _PATIENCE and now - spoken >= _LOG_EVERY):
                    spoken = now
                    self._show(line())
            else:
                self._show(None)
                return value

    @property
    def _live(self) -> bool:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        return bool(reporter is not None and reporter.isatty and reporter.verbosity >= 0)

    def _show(self, text: str | None) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or (text is None and not self._shown):
            return
        with self._uncaptured():
            if not self._shown:
                self._file = reporter.currentfspath
                reporter.ensure_newline()
            if self._live:
                self._rewrite(reporter, text)
            elif text:
                reporter.write_line(f"postdeploy: {text}")

    def _rewrite(self, reporter: Any, text: str | None) -> None:
        width = reporter._tw.fullwidth - 1  # noqa: SLF001  # the reporter has no public word for its width
        reporter.rewrite((text or "")[:width], erase=True)
        self._shown = text is not None
        if text is None:
            reporter.write("\r")
            if isinstance(self._file, Path):  # go on where the letters of this file were
                reporter.currentfspath = self._file
                reporter.write(f"{os.path.relpath(self._file, reporter.startpath)} ", flush=True)

    def _uncaptured(self) -> contextlib.AbstractContextManager[None]:
        """While an item runs pytest captures what is written, also by us."""
        manager: Any = self._config.pluginmanager.get_plugin("capturemanager")
        return manager.global_and_fixture_disabled() if manager is not None else contextlib.nullcontext()


def _open(count: int) -> str:
    return f"waiting for {count} check{'s' if count > 1 else ''}"
