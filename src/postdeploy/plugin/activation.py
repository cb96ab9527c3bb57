"""Waking up for a run with a target: configuration first, then the parts that this process needs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.config import load_target, read_outline
from postdeploy.domain.check import Kind
from postdeploy.domain.policy import Severity
from postdeploy.domain.target import Target
from postdeploy.engine.engine import RunContext
from postdeploy.errors import ConfigurationError, JournalError
from postdeploy.lazy_dataclass import replace
from postdeploy.plugin import (
    declared_loop,
    declared_protocol,
    distribution,
    fixtures,
    items,
    lies,
    narrowing,
    outcome,
    pages,
    planning,
    protocol,
    seat_belt,
    selection,
    sharding,
    undo,
)
from postdeploy.plugin.abrupt_end import AbruptEnd
from postdeploy.plugin.console import Console
from postdeploy.plugin.execution import Execution
from postdeploy.plugin.facts import new_run_id
from postdeploy.plugin.foreseen_pages import names_pages
from postdeploy.plugin.items import Suites
from postdeploy.plugin.keys import CONSOLE, DEALING, EXECUTION, RECORDER, SUITES
from postdeploy.plugin.learnt import Confidences, received
from postdeploy.plugin.masking import Warnings
from postdeploy.plugin.monitoring import follow_up
from postdeploy.plugin.overrun import Overrun
from postdeploy.plugin.recorder import Recorder
from postdeploy.plugin.sense import require_sense
from postdeploy.plugin.settings import Settings
from postdeploy.plugin.signals import heed_one_interrupt
from postdeploy.plugin.terminal import TerminalReport
from postdeploy.plugin.unheard import listen_to_nobody
from postdeploy.plugin.workers import Workers

if TYPE_CHECKING:
    from postdeploy.config.targets import Outline
    from postdeploy.domain.shard import Dealing
    from postdeploy.plugin.memory import Memory

__all__ = ["activate"]

_FIXTURE: Final = type(fixtures.target)
"""What a fixture is; pytest has no public name for it."""


def activate(config: pytest.Config) -> None:
    """Read the configuration and register what this process needs. Raises pytest.UsageError."""
    settings = Settings.of(config)
    confided = received() if settings.worker else {}
    recorder = None if settings.worker or settings.dry else _open_recorder(config, settings)
    with _refusing(recorder):
        require_sense(config)
        loaded = load_target(settings.targets_file, settings.target, os.environ, confided.get("secrets"))
        target = _granted(_shared(_strict(loaded, settings), settings), config, settings)
        outline = read_outline(
            settings.targets_file, os.environ, remembers=recorder is not None and not settings.history
        )
        config.stash[SUITES] = Suites(outline.targets)
        context = _context(config, settings, target, recorder)
        execution = Execution(config, settings, target, context)
        if settings.shard_by or settings.shard_by_run is not None:
            config.stash[DEALING] = _dealing(config, settings, outline, execution)
        if recorder is not None:
            recorder.memory = _memory(settings, outline, execution)
            recorder.open(target, context, execution)
    config.stash[EXECUTION] = execution
    if names_pages(config):
        execution.expect_pages()
    if settings.worker:
        heed_one_interrupt()
    else:
        config.stash[CONSOLE] = Console(execution.redactor)
        config.stash[CONSOLE].open()
    if settings.allure_folder:
        from postdeploy.plugin.allure_results import own_allure_results

        own_allure_results(config, execution, settings.allure_folder)
    _replace_playwright(config)
    listen_to_nobody(config)
    _add_lines(config)
    for plugin in _parts(config, execution, recorder, confided):
        shown = _shown(plugin)
        config.pluginmanager.register(shown, f"postdeploy-{shown.__name__}")


def _shown(plugin: Any) -> ModuleType:
    """Hooks and fixtures alone: pytest looks twice through all names of a plugin, and most of a module are imports."""
    shown = ModuleType(plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__name__)
    for name in dir(plugin):
        if name.startswith("pytest_") or isinstance(vars(plugin).get(name), _FIXTURE):
            setattr(shown, name, getattr(plugin, name))
    return shown


def _strict(target: Target, settings: Settings) -> Target:
    """Under ``--fail-on-flaky`` no check may pass on a later attempt only."""
    return replace(target, policy=replace(target.policy, flaky=0)) if settings.fail_on_flaky else target


def _shared(target: Target, settings: Settings) -> Target:
    """All shards together keep to the budget of the target."""
    return replace(target, budget=target.budget.share(settings.shard.of)) if settings.shard else target


def _open_recorder(config: pytest.Config, settings: Settings) -> Recorder:
    try:
        recorder = Recorder(config, settings, settings.run_id or new_run_id())
    except JournalError as error:
        raise pytest.UsageError(f"\n{error}") from error
    config.stash[RECORDER] = recorder
    return recorder


def _memory(settings: Settings, outline: Outline, execution: Execution) -> Memory | None:
    """Most runs are remembered nowhere, and then nothing of it is imported; its password is learnt."""
    if not (settings.history or outline.history or settings.monitor):
        return None
    from postdeploy.plugin.memory import find_memory

    memory = find_memory(settings, outline.history)
    for secret in memory.secrets() if memory else ():
        execution.redactor.learn(secret)
    return memory


def _dealing(config: pytest.Config, settings: Settings, outline: Outline, execution: Execution) -> Dealing:
    """How long checks took before; workers are told, so that all of them deal out alike. Raises pytest.UsageError."""
    from postdeploy.domain.shard import Dealing
    from postdeploy.plugin.dealing import dealing_by_file, dealing_by_history
    from postdeploy.plugin.memory import find_memory

    if settings.worker:
        return Dealing(*config.workerinput[distribution.SHARED]["dealing"])  # type: ignore[attr-defined]  # xdist's
    if settings.shard_by:
        return dealing_by_file(settings.shard_by)
    memory = find_memory(settings, outline.history)
    for secret in memory.secrets() if memory else ():
        execution.redactor.learn(secret)
    return dealing_by_history(memory.place if memory else None, settings)


@contextlib.contextmanager
def _refusing(recorder: Recorder | None) -> Iterator[None]:
    """Whatever is wrong with the configuration is told, and sealed as the verdict."""
    try:
        yield
    except ConfigurationError as error:
        if recorder is not None:
            recorder.refuse(error)
            follow_up(recorder)
        raise pytest.UsageError(f"\n{error}") from error
    except JournalError as error:
        raise pytest.UsageError(f"\n{error}") from error


def _granted(target: Target, config: pytest.Config, settings: Settings) -> Target:
    """The target as this run may use it, from where it is: a protected one can be written to only if that was typed."""
    shared: Mapping[str, Any] = getattr(config, "workerinput", {}).get(distribution.SHARED, {})
    granted = bool(settings.writes or shared.get("writes"))
    placed = replace(target, vantage=settings.vantage) if settings.vantage else target
    return replace(placed, access=replace(target.access, granted=granted)) if granted else placed


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


def _add_lines(config: pytest.Config) -> None:
    """Marks that ``-m`` may name."""
    for name in (*Kind, *Severity):
        config.addinivalue_line("markers", f"{name}: the kind or severity of a check")


def _replace_playwright(config: pytest.Config) -> None:
    """Do without the hooks of pytest-playwright, which give tests other names; its fixtures stay, below our own."""
    manager = config.pluginmanager
    for name in ("playwright", "pytest_playwright.pytest_playwright"):
        if (plugin := manager.get_plugin(name)) is not None:
            manager.unregister(plugin)


def _parts(
    config: pytest.Config, execution: Execution, recorder: Recorder | None, confided: Mapping[str, Any]
) -> Iterator[Any]:
    yield from (
        execution,
        items,
        planning,
        selection,
        sharding,
        narrowing,
        protocol,
        declared_protocol,
        declared_loop,
        lies,
        outcome,
        fixtures,
        undo,
        seat_belt.Fastening(execution),
        pages,
        distribution,
    )
    yield fixtures.service_clients(execution.target.services)
    yield Warnings(execution.redactor)
    yield Confidences(execution, confided)
    if execution.settings.show_plan:
        from postdeploy.plugin.show_plan import ShowPlan

        yield ShowPlan(execution)
    if execution.settings.lock:
        from postdeploy.plugin.locking import Locking

        yield Locking(execution.settings)
    if recorder is not None:
        yield recorder
        yield Workers(recorder, execution.orphans)
        yield Overrun(config, execution, recorder)
        yield AbruptEnd(config, recorder)
        yield from TerminalReport(config, recorder).parts()
