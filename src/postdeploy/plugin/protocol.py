"""Around each Python test: whether it may start, how long it may take, and a record of its own for each attempt."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Final

import pytest

from postdeploy.plugin.activity import Activity
from postdeploy.plugin.items import CheckItem, skip_as
from postdeploy.plugin.keys import ACTIVITY, EXECUTION, PLANNED, RESULT

__all__ = ["has_timeouts", "is_overdue", "overran"]

_DEFAULT_TIMEOUT: Final = 60.0
"""Seconds that a Python test may take if it does not say otherwise."""

_LEAST: Final = 0.5

_LIMIT: pytest.StashKey[float] = pytest.StashKey()

_ENDS: pytest.StashKey[float] = pytest.StashKey()
"""Monotonic seconds at which the time of an attempt is over."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Bound a Python test by the deadline of the run, so that a hanging one cannot outlive it."""
    if not isinstance(item, CheckItem) and has_timeouts(item.config):
        item.stash[_LIMIT] = _limit(item)
        item.stash[_ENDS] = time.monotonic() + item.stash[_LIMIT]
        item.add_marker(pytest.mark.timeout(item.stash[_LIMIT]), append=False)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose target is not live, whose service is down, or whose time is over does not start."""
    planned = item.stash.get(PLANNED, None)
    if isinstance(item, CheckItem) or planned is None or item.stash.get(RESULT, None) is not None:
        return
    attempt = getattr(item, "execution_count", 1)
    if attempt > 1 and _LIMIT in item.stash:
        _wind_up(item)
    execution = item.config.stash[EXECUTION]
    execution.current = item.stash[ACTIVITY] = Activity(planned.id, attempt)
    result = execution.obstacle(planned) if execution.settings.sends else None
    if result is not None:
        item.stash[RESULT] = result
        skip_as(result)


def overran(item: pytest.Item, duration: float) -> float | None:
    """The limit of a test that took longer, whatever it did with the exception that was to end it; else None."""
    limit = item.stash.get(_LIMIT, None)
    if limit is None:
        return None
    only_the_test = item.config.getini("timeout_func_only")
    late = duration >= limit if only_the_test else time.monotonic() >= item.stash[_ENDS]
    return limit if late else None


def is_overdue(item: pytest.Item) -> bool:
    """Whether the time of a test is over."""
    ends = item.stash.get(_ENDS, None)
    return ends is not None and time.monotonic() >= ends


def has_timeouts(config: pytest.Config) -> bool:
    """Whether pytest-timeout is there, by the name of its entry point or of its module."""
    return bool(config.pluginmanager.hasplugin("timeout") or config.pluginmanager.hasplugin("pytest_timeout"))


def _wind_up(item: pytest.Item) -> None:
    """Start the clock of a further attempt: pytest-timeout does it once for all attempts, and it may have rung."""
    from pytest_timeout import Settings

    option = item.config.getoption
    method = option("timeout_method", None) or item.config.getini("timeout_method") or "signal"
    limit = min(item.stash[_LIMIT], max(_LEAST, item.config.stash[EXECUTION].remaining()))
    item.stash[_ENDS] = time.monotonic() + limit
    item.ihook.pytest_timeout_cancel_timer(item=item)
    item.ihook.pytest_timeout_set_timer(item=item, settings=Settings(limit, method, False, False))


def _limit(item: pytest.Item) -> float:
    own = _own(item.get_closest_marker("timeout"))
    whole = item.config.getoption("timeout", None)
    chosen = own if own is not None else (float(whole) if whole else _DEFAULT_TIMEOUT)
    remaining = max(_LEAST, item.config.stash[EXECUTION].remaining())
    return min(chosen or remaining, remaining)


def _own(mark: pytest.Mark | None) -> float | None:
    value = (mark.args[0] if mark.args else mark.kwargs.get("timeout")) if mark else None
    return float(value) if value is not None else None
