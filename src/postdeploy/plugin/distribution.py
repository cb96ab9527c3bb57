"""pytest-xdist: what the workers are told, where items go, and reports that always arrive."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.plugin.keys import DEALING, EXECUTION, PAYLOAD, RECORDER

if TYPE_CHECKING:
    from xdist.scheduler import Scheduling

__all__ = ["SHARED"]

SHARED: Final = "postdeploy"
"""The key of what the controller tells its workers."""

_SPREAD: Final = frozenset({"load", "worksteal", "loadscope", "loadfile", "loadgroup"})


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Every worker knows the run that it belongs to."""
    execution = node.config.stash[EXECUTION]
    context = execution.context
    ends_at = time.time() + ((context.deadline or 0.0) - time.monotonic())
    shared = {"run_id": context.run_id, "ends_at": ends_at, "writes": execution.settings.writes}
    dealing = node.config.stash.get(DEALING, None)
    if dealing is not None:
        shared["dealing"] = (dealing.run, dict(dealing.seconds))
    node.workerinput[SHARED] = shared


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """Declared checks stay together, so that one worker has them all in flight at once."""
    mode = config.getoption("dist")
    if mode not in _SPREAD:
        return None
    from postdeploy.plugin.scheduling import TogetherScheduling

    return TogetherScheduling(config, log, mode, lambda: _begin(config))


def _begin(config: pytest.Config) -> None:
    """Everything is collected. Raises Session.Interrupted where that went wrong, as pytest does without workers."""
    session: Any = config.pluginmanager.get_plugin("session")
    execution, recorder = config.stash[EXECUTION], config.stash[RECORDER]
    for plan in execution.handover.plans():
        recorder.plan(plan)
    if session.testsfailed and not config.option.continue_on_collection_errors:
        count = session.testsfailed
        raise session.Interrupted(f"{count} error{'s' if count > 1 else ''} during collection")
    if execution.settings.sends:
        execution.prepare()


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(
    config: pytest.Config, report: Any
) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """A report that cannot be sent makes a failing test vanish, so whatever is no JSON builtin becomes text."""
    data = yield
    del report
    if data is None:
        return None
    if PAYLOAD in data:
        data[PAYLOAD] = config.stash[EXECUTION].redactor.tree(data[PAYLOAD])
    return {str(key): _plain(value) for key, value in data.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, dict):
        return {_plain(key) if isinstance(key, str) else str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return _plain(str(value))
