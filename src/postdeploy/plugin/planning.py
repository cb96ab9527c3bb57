"""From collected items to the plan of a run: every check as it was collected, whatever is deselected afterwards."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest

from postdeploy.domain.check import Check
from postdeploy.domain.evidence import PlannedCheck
from postdeploy.errors import ConfigurationError
from postdeploy.plugin.items import CheckItem
from postdeploy.plugin.keys import COLLECTED, EXECUTION, PAYLOAD, PLANNED, RECORDER
from postdeploy.plugin.lies import lies_in_source, marks_known, unknown_mark
from postdeploy.plugin.marks import find_problems
from postdeploy.plugin.masking import mask, mask_name
from postdeploy.plugin.narrowing import narrowed_by
from postdeploy.plugin.python_checks import plan_python, prepare_python
from postdeploy.plugin.sharding import others
from postdeploy.plugin.suite_files import suite_files

__all__: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, Any]:
    """Send configuration problems along with the report, so that the process with the journal knows of them."""
    with marks_known():
        report = yield
    if problems := _problems(collector, report):
        if report.passed:
            report.outcome, report.result, report.longrepr = "failed", [], "\n".join(problems)
        setattr(report, PAYLOAD, {"problems": problems})
    mask(report, collector.config.stash[EXECUTION].redactor)
    return report


def _problems(collector: pytest.Collector, report: pytest.CollectReport) -> list[str]:
    """What people wrote wrong: in a declared suite, in a mark, in the source of tests."""
    excinfo = report.call.excinfo if getattr(report, "call", None) else None
    if excinfo is not None:
        if isinstance(excinfo.value, ConfigurationError):
            return [str(problem) for problem in excinfo.value.problems]
        unknown = unknown_mark(collector.config, excinfo)
        return [unknown] if unknown else []
    if not report.passed:
        return []
    return [*find_problems(report.result), *(lies_in_source(collector) if type(collector) is pytest.Module else ())]


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Remember every item, for what a conftest or a plugin drops is seen by nobody else; its name holds no secret."""
    items = item.config.stash.setdefault(COLLECTED, [])
    mask_name(item, item.config.stash[EXECUTION].redactor, items)
    items.append(item)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say of every item which check it is, before anybody decides what to leave out."""
    for item in {id(item): item for item in (*config.stash.get(COLLECTED, ()), *items)}.values():
        _plan(item, config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """What is left is what runs; Python tests come first, as declared checks are in flight meanwhile."""
    config = session.config
    execution = config.stash[EXECUTION]
    if execution.coordinates:
        return
    everything = {id(item): item for item in (*config.stash.get(COLLECTED, ()), *session.items)}
    missing = len(everything) - len(session.items) - others(everything.values(), config)
    execution.declared = [item.check for item in session.items if isinstance(item, CheckItem)]
    if not execution.settings.worker:
        session.items.sort(key=lambda item: isinstance(item, CheckItem))
    _tell(config, {"checks": [_plan(item, config).to_json() for item in everything.values()],
                   "narrowed_by": list(narrowed_by(session, missing)),
                   "files": suite_files(config, everything.values())})  # fmt: skip


def _tell(config: pytest.Config, plan: Mapping[str, Any]) -> None:
    recorder, execution = config.stash.get(RECORDER, None), config.stash[EXECUTION]
    if recorder is not None:
        recorder.plan(plan)
    elif execution.settings.worker:
        execution.handover.tell_plan(execution.settings.worker, plan)


def _plan(item: pytest.Item, config: pytest.Config) -> PlannedCheck:
    planned = item.stash.get(PLANNED, None)
    if planned is None:
        target = config.stash[EXECUTION].target
        planned = _declared(item.check) if isinstance(item, CheckItem) else plan_python(item, target)
        item.stash[PLANNED] = planned
        if not isinstance(item, CheckItem):
            prepare_python(item, planned, target)
    return planned


def _declared(check: Check) -> PlannedCheck:
    return PlannedCheck(
        id=check.id,
        name=check.name,
        kind=check.kind.value,
        severity=check.severity,
        path=check.path,
        line=check.line,
        owner=check.owner,
        runbook=check.runbook,
        services=check.services,
        may_repeat=check.may_repeat,
        quarantine=check.quarantine,
        vantages=check.vantages,
        issues=check.issues,
    )
