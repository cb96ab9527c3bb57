"""The reports of a declared check that passed, without the hooks around its setup, call and teardown.

Nothing of anybody's runs in such an item, so there is nothing to capture, to skip, to time or to tear down. Where it
could make a difference pytest's own protocol is kept: for every other result, for the last check of each file (what
collectors set up and tear down), for a mark or an option that changes how items run, and where a plugin or a conftest
wants to hear of each phase. That a setup and a teardown in which nothing ran have passed is told where it is heeded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

import pytest

from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.plugin.items import CheckItem
from postdeploy.plugin.keys import EXECUTION, PAYLOAD, PLANNED
from postdeploy.plugin.masking import mask
from postdeploy.plugin.protocol import has_timeouts

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

_PLAIN: pytest.StashKey[bool] = pytest.StashKey()
"""On a suite: whether nobody but us has anything to do when its checks run."""

_REPORTS: Final = ("pytest_runtest_logreport", "pytest_report_teststatus")

_HEEDFUL: Final = frozenset({"_pytest.junitxml"})
"""Modules of pytest that make something of a setup or teardown that passed; its terminal does for --durations."""

_TOLD: pytest.StashKey[tuple[str, ...]] = pytest.StashKey()
"""On a suite: the phases of its checks that somebody makes something of."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Where a loop calls it for each item: ours does not."""
    return report_at_once(item, nextitem)


def report_at_once(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report a check that passed; None leaves it to whoever comes next."""
    if not isinstance(item, CheckItem) or nextitem is None or nextitem.parent is not item.parent:
        return None
    session = item.session
    if session.shouldfail or session.shouldstop or not _is_plain(item) or _is_marked(item):
        return None
    result = _awaited(item)
    if result is None or result.outcome is not Outcome.PASSED:
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _reports(item, result):
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _awaited(item: CheckItem) -> CheckResult | None:
    """The result; None where waiting for it broke, which pytest's own protocol then reports."""
    os.environ[_VARIABLE] = f"{item.nodeid} (call)".replace("\0", "(null)")
    try:
        return item.config.stash[EXECUTION].result(item.check.id)
    except Exception:  # noqa: BLE001  # see above
        return None
    finally:
        del os.environ[_VARIABLE]


def _reports(item: CheckItem, result: CheckResult) -> Iterator[pytest.TestReport]:
    call = pytest.CallInfo.from_call(_nothing, "setup")
    first = pytest.TestReport.from_item_and_call(item, call)
    first.duration = 0.0
    execution, facts = item.config.stash[EXECUTION], vars(first)
    for when in _told(item):
        report: Any = object.__new__(pytest.TestReport)
        report.__dict__.update(facts, when=when, keywords=dict(first.keywords))
        report.sections, report.user_properties = [], list(item.user_properties)
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


def _is_plain(item: CheckItem) -> bool:
    suite = item.parent
    assert suite is not None  # noqa: S101  # every item has one
    plain = suite.stash.get(_PLAIN, None)
    if plain is None:
        plain = suite.stash[_PLAIN] = not _is_observed(item) and not any(
            isinstance(node, pytest.Package) for node in suite.listchain()
        )
    return plain


def _told(item: CheckItem) -> tuple[str, ...]:
    suite = item.parent
    assert suite is not None  # noqa: S101  # every item has one
    told = suite.stash.get(_TOLD, None)
    if told is None:
        heeded = item.config.getoption("durations", None) is not None or _is_heeded(item)
        told = suite.stash[_TOLD] = ("setup", "call", "teardown") if heeded else ("call",)
    return told


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
    return any(mark.name in _MARKS for mark in item.iter_markers())
