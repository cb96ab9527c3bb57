"""Python tests as checks: what they are about, what they may do to the target, and how often they are attempted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from postdeploy.domain.check import Kind
from postdeploy.domain.evidence import PlannedCheck
from postdeploy.domain.policy import Severity
from postdeploy.domain.quarantine import Quarantine
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import Location, Target
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.pace import StoppedError
from postdeploy.plugin.keys import RESULT
from postdeploy.plugin.marks import arguments, names_of, when_of

__all__ = ["plan_python", "prepare_python"]

_STOPPED: Final = [GuardRefusalError, StoppedError]
"""What we ourselves did not let out is not let out the next time."""

_PAGE_FIXTURES: Final = frozenset({"page", "context", "browser"})


def plan_python(item: pytest.Item, target: Target) -> PlannedCheck:
    """The check that a Python test is."""
    mark = arguments(item)
    names = set(getattr(item, "fixturenames", ()))
    path, line, name = item.location
    return PlannedCheck(
        id=item.nodeid,
        name=name,
        kind=str(mark.get("kind", Kind.UI if names & _PAGE_FIXTURES else Kind.API)),
        severity=Severity(mark.get("severity", Severity.CRITICAL)),
        path=path,
        line=(line or 0) + 1,
        owner=mark.get("owner"),
        runbook=mark.get("runbook"),
        services=tuple(_services(names, target)),
        may_repeat=mark.get("repeatable", item.get_closest_marker("writes") is None),
        quarantine=Quarantine.from_json(mark["quarantine"]) if "quarantine" in mark else None,
        vantages=names_of(mark.get("vantages", ())),
        issues=names_of(mark.get("issue", ())),
    )


def prepare_python(item: pytest.Item, planned: PlannedCheck, target: Target) -> None:
    """Skip by policy what the target does not allow, and have failing tests attempted again."""
    for name in (planned.kind, planned.severity.value):
        item.add_marker(getattr(pytest.mark, name))
    reason = skip_reason(item, target)
    if reason:
        item.stash[RESULT] = CheckResult(planned.id, Outcome.SKIPPED, reason=reason, by_policy=True)
        item.add_marker(pytest.mark.skip(reason=reason))
        return
    again = target.policy.confirm.attempts - 1
    chosen = item.get_closest_marker("flaky") or getattr(item.config.option, "reruns", None)
    if again and planned.may_repeat and not chosen and _can_rerun(item.config):
        spacing = target.policy.confirm.spacing
        item.add_marker(pytest.mark.flaky(reruns=again, reruns_delay=spacing, rerun_except=_STOPPED))


def skip_reason(item: pytest.Item, target: Target) -> str | None:
    """Why the policy of a target leaves out a Python test, or None if it does not."""
    when = arguments(item).get("when")
    if when is not None and not when_of(when).applies(target.name):
        return f"not for target '{target.name}'"
    if elsewhere := target.passed_over(names_of(arguments(item).get("vantages", ()))):
        return elsewhere
    mark = item.get_closest_marker("writes")
    if mark is None or target.access.writable:
        return None
    if target.access.sealed:
        return f"target '{target.name}' is protected and needs --allow-writes={target.name}"
    missing = [text for text in mark.args if not _permitted(text, target)]
    if mark.args and not missing:
        return None
    return f"target '{target.name}' is read-only" + (f" and does not allow {missing[0]}" if missing else "")


def _permitted(text: str, target: Target) -> bool:
    """Whether an exception of the target covers ``METHOD service:/path``."""
    method, _, place = text.partition(" ")
    service, _, path = place.strip().partition(":")
    return target.access.permits(method, Location(service, path))


def _services(names: set[str], target: Target) -> Iterator[str]:
    yield from (name for name in target.services if name in names)
    if names & _PAGE_FIXTURES and "web" in target.services and "web" not in names:
        yield "web"


def _can_rerun(config: pytest.Config) -> bool:
    manager = config.pluginmanager
    return bool(manager.hasplugin("rerunfailures") or manager.hasplugin("pytest_rerunfailures"))
