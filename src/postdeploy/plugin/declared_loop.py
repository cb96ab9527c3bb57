"""The loop over items, past the hook around declared checks that passed where nobody there has anything to do.

That hook catches warnings, sets timers and explains asserts of the code of tests, and a declared check has none.
Pytest's own loop stays where another plugin has one, as xdist does, where somebody else hears of each item, and where
an option wants the wait for a result to be timed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

import pytest

from postdeploy.plugin.declared_protocol import INDIFFERENT, report_at_once
from postdeploy.plugin.protocol import has_timeouts

__all__: list[str] = []

_TIMERS: Final = ("timeout", "session_timeout")
"""Options of pytest-timeout, in seconds."""


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """As pytest's own, which is left to do it wherever something is out of the ordinary."""
    if session.testsfailed or session.config.option.collectonly or not _is_plain(session.config):
        return None
    items = session.items
    for index, item in enumerate(items):
        following = items[index + 1] if index + 1 < len(items) else None
        if report_at_once(item, following) is None:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
    return True


def _is_plain(config: pytest.Config) -> bool:
    impls = config.hook.pytest_runtestloop.get_hookimpls()
    loops = _packages(each for each in impls if not (each.wrapper or each.hookwrapper))
    around = _packages(config.hook.pytest_runtest_protocol.get_hookimpls())
    return loops <= {"_pytest", "postdeploy"} and around <= INDIFFERENT and not _is_timed(config)


def _packages(implementations: Iterable[Any]) -> set[str]:
    return {each.function.__module__.partition(".")[0] for each in implementations}


def _is_timed(config: pytest.Config) -> bool:
    """Whether the wait for a single result has a limit, or is told of when it takes long."""
    if float(config.getini("faulthandler_timeout") or 0):
        return True
    if not has_timeouts(config):
        return False
    told = [config.getoption(name, None) or config.getini(name) for name in _TIMERS]
    return any(told) or bool(os.environ.get("PYTEST_TIMEOUT"))
