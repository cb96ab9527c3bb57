"""The reports of a declared check that passed, without the hooks around its setup, call and teardown.

Nothing of anybody's runs in such an item, so there is nothing to capture, to skip, to time or to tear down. Where it
could make a difference pytest's own protocol is kept: for every other result, for the last check of each file (what
collectors set up and tear down), for a mark or an option that changes how items run, and where a plugin or a conftest
wants to hear of each phase. That a setup and a teardown in which nothing ran have passed is told where it is heeded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import pytest

from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.plugin.items import CheckItem
from postdeploy.plugin.keys import EXECUTION, PAYLOAD, PLANNED
from postdeploy.plugin.masking import mask
from postdeploy.plugin.protocol import has_timeouts

if TYPE_CHECKING:
    from postdeploy.plugin.execution import Execution

__all__ = ["INDIFFERENT", "report_at_once"]

_HOOKS: Final = (
    "pytest_runtest_setup",
    "pytest_runtest_call",
    "pytest_runtest_teardown",
    "pytest_runtest_makereport",
)

INDIFFERENT: Final = frozenset(
    {"_pytest", "postdeploy", "pytest_timeout", "pytest_rerunfailures", "_hypothesis_pytestplugin"}
)
"""Packages whose hooks do nothing for an item that runs no code and passes."""

_OPTIONS: Final = ("setupshow", "setuponly", "setupplan", "usepdb")
_MARKS: Final = frozenset({"skip", "skipif", "xfail", "timeout"})

_VARIABLE: Final = "PYTEST_CURRENT_TEST"

_REPORTS: Final = ("pytest_runtest_logreport", "pytest_report_teststatus")

_HEEDFUL: Final = frozenset({"_pytest.junitxml"})
"""Modules of pytest that make something of a setup or teardown that passed; its terminal does for --durations."""


class _Way(NamedTuple):
    """How the checks of a suite are reported.

    Args:
        hook: what calls the hooks of its checks.
        call: that of a check, which calls nothing.
        told: the phases that somebody makes something of.
    """

    hook: Any
    call: pytest.CallInfo[None]
    told: tuple[Literal["setup", "call", "teardown"], ...]


_WAY: pytest.StashKey[_Way | None] = pytest.StashKey()
"""On a suite; None where others have something to do when its checks run."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Where a loop calls it for each item: ours does not."""
    return report_at_once(item, nextitem)


def report_at_once(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report a check that passed; None leaves it to whoever comes next."""
    if not isinstance(item, CheckItem) or nextitem is None or nextitem.parent is not item.parent:
        return None
    session, way = item.session, _way(item)
    if way is None or session.shouldfail or session.shouldstop or _is_marked(item):
        return None
    execution = item.config.stash[EXECUTION]
    result = _result(item, execution)
    if result is None or result.outcome is not Outcome.PASSED:
        return None
    hook, nodeid, location = way.hook, item.nodeid, item.location
    hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
    for report in _reports(item, way, result, execution):
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)
    return True


def _result(item: CheckItem, execution: Execution) -> CheckResult | None:
    """The result; None where waiting for it broke, which pytest's own protocol then reports."""
    try:
        return execution.result_at_once(item.check.id) or _awaited(item, execution)
    except Exception:  # noqa: BLE001  # see above
        return None


def _awaited(item: CheckItem, execution: Execution) -> CheckResult:
    os.environ[_VARIABLE] = f"{item.nodeid} (call)".replace("\0", "(null)")
    try:
        return execution.result(item.check.id)
    finally:
        del os.environ[_VARIABLE]


def _reports(item: CheckItem, way: _Way, result: CheckResult, execution: Execution) -> Iterator[pytest.TestReport]:
    call = way.call
    call.start = call.stop = time.time()
    for when in way.told:
        call.when = when
        report = pytest.TestReport.from_item_and_call(item, call)
        if when == "call":
            report.duration = sum(attempt.duration for attempt in result.attempts)
            payload: dict[str, Any] = {"result": result.to_json(), "check": item.stash[PLANNED].id}
            if learnt := execution.learnt(failed=False):
                payload["learnt"] = learnt
            setattr(report, PAYLOAD, payload)
        mask(report, execution.redactor)
        yield report


def _nothing() -> None:
    """What a declared check does in this process."""


def _way(item: CheckItem) -> _Way | None:
    suite = item.parent
    assert suite is not None  # noqa: S101  # every item has one
    if _WAY not in suite.stash:
        packaged = any(isinstance(node, pytest.Package) for node in suite.listchain())
        suite.stash[_WAY] = None if packaged or _is_observed(item) else _short_way(item)
    return suite.stash[_WAY]


def _short_way(item: CheckItem) -> _Way:
    call = pytest.CallInfo.from_call(_nothing, "setup")
    call.duration = 0.0
    heeded = item.config.getoption("durations", None) is not None or _is_heeded(item)
    return _Way(item.ihook, call, ("setup", "call", "teardown") if heeded else ("call",))


def _is_heeded(item: CheckItem) -> bool:
    """Whether somebody hears the reports who may count or keep all of them."""
    modules = {
        implementation.function.__module__
        for name in _REPORTS
        for implementation in getattr(item.ihook, name).get_hookimpls()
    }
    return not modules.isdisjoint(_HEEDFUL) or not {name.partition(".")[0] for name in modules} <= INDIFFERENT


def _is_observed(item: CheckItem) -> bool:
    """Whether an option, a plugin or a conftest makes a difference to how items run."""
    config = item.config
    if any(config.getoption(name, None) for name in _OPTIONS):
        return True
    if has_timeouts(config) and config.getini("timeout_func_only"):
        return True
    return any(
        implementation.function.__module__.partition(".")[0] not in INDIFFERENT
        for name in _HOOKS
        for implementation in getattr(item.ihook, name).get_hookimpls()
    )


def _is_marked(item: CheckItem) -> bool:
    return any(mark.name in _MARKS for node in item.listchain() for mark in node.own_markers)
