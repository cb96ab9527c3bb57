"""Waking up for a run with a target: configuration first, then the parts that this process needs."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from typing import Any

import pytest

from postdeploy.config import load_target
from postdeploy.domain.target import Target
from postdeploy.engine.engine import RunContext
from postdeploy.errors import ConfigurationError, JournalError
from postdeploy.plugin import collection, distribution, fixtures, outcome, pages
from postdeploy.plugin.execution import Execution
from postdeploy.plugin.keys import EXECUTION, RECORDER
from postdeploy.plugin.options import Settings
from postdeploy.plugin.recorder import Recorder
from postdeploy.plugin.terminal import TerminalReport

__all__ = ["activate"]


def activate(config: pytest.Config) -> None:
    """Read the configuration and register what this process needs. Raises pytest.UsageError."""
    settings = Settings.of(config)
    recorder = None if settings.worker or settings.dry else _open_recorder(config, settings)
    try:
        target = load_target(settings.targets_file, settings.target, os.environ)
        context = _context(config, settings, target, recorder)
    except ConfigurationError as error:
        if recorder is not None:
            recorder.refuse(error)
        raise pytest.UsageError(f"\n{error}") from error
    execution = Execution(config, settings, target, context)
    config.stash[EXECUTION] = execution
    plugins: list[Any] = [execution, collection, outcome, fixtures, pages, distribution]
    if recorder is not None:
        recorder.open(target, context, execution)
        plugins += [recorder, TerminalReport(config, recorder)]
    for plugin in plugins:
        config.pluginmanager.register(plugin, f"postdeploy-{getattr(plugin, '__name__', type(plugin).__name__)}")


def _open_recorder(config: pytest.Config, settings: Settings) -> Recorder:
    try:
        recorder = Recorder(config, settings, settings.run_id or new_run_id())
    except JournalError as error:
        raise pytest.UsageError(f"\n{error}") from error
    config.stash[RECORDER] = recorder
    return recorder


def new_run_id() -> str:
    """A name that sorts by time and that nobody can guess."""
    return time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + secrets.token_hex(6)


def _context(config: pytest.Config, settings: Settings, target: Target, recorder: Recorder | None) -> RunContext:
    shared: Mapping[str, Any] = getattr(config, "workerinput", {}).get(distribution.SHARED, {})
    seconds = settings.deadline or target.policy.deadline
    ends_at = shared.get("ends_at") or time.time() + seconds
    return RunContext(
        run_id=shared.get("run_id") or (recorder.run_id if recorder else settings.run_id or new_run_id()),
        expected=settings.release,
        deadline=time.monotonic() + (ends_at - time.time()),
        reports=settings.reports,
    )
