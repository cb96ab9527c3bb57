"""``--show-plan``: what would run, against what, under which policy; nothing is sent and no report is touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from postdeploy.domain.check import Check, Step
from postdeploy.domain.policy import Policy
from postdeploy.domain.target import Target
from postdeploy.engine.runner import skip_reason
from postdeploy.plugin.execution import Execution
from postdeploy.plugin.items import CheckItem
from postdeploy.plugin.keys import PLANNED
from postdeploy.plugin.python_checks import skip_reason as python_skip_reason

__all__ = ["ShowPlan"]

_HEADINGS = ("SEVERITY", "KIND", "OWNER", "SERVICES", "ID", "STEPS")


class ShowPlan:
    """Registered as a plugin; takes the place of running anything."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Print the plan; where collection failed pytest says so instead."""
        if session.testsfailed:
            return None
        reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        write = reporter.write_line if reporter is not None else print
        for line in _plan(self._execution, session.items):
            write(line)
        return True


def _plan(execution: Execution, items: Sequence[pytest.Item]) -> Iterator[str]:
    target = execution.target
    facts = {
        "target": f"{target.name}, {_access(target)}",
        "allowed": ", ".join(map(str, target.access.allow)),
        "denied": ", ".join(map(str, target.access.deny)),
        "services": "\n".join(_services(target)),
        "server": " ".join(target.server.command) if target.server else "",
        "release": _release(execution),
        "policy": _policy(target.policy, execution.remaining()),
        "budget": _budget(target),
    }
    yield ""
    yield from (line for name, text in facts.items() if text for line in _fact(name, text))
    yield ""
    yield from _table([_HEADINGS, *(_row(item) for item in items)])
    skipped = [(item, reason) for item in items if (reason := _skipped(item, target))]
    if skipped:
        yield ""
        yield f"skipped by policy: {len(skipped)} of {len(items)}"
        yield from (f"  {item.stash[PLANNED].id}: {reason}" for item, reason in skipped)


def _fact(name: str, text: str) -> Iterator[str]:
    first, *rest = text.splitlines()
    yield f"{name:<10}{first}"
    yield from (f"{'':<10}{line}" for line in rest)


def _services(target: Target) -> Iterator[str]:
    for service in target.services.values():
        yield f"{service.name} {service.url}" + (f"  (health {service.health})" if service.health else "")


def _release(execution: Execution) -> str:
    wait, expected = execution.target.release, execution.context.expected
    if wait is None:
        return f"{expected} is expected, and nothing says which one answers" if expected else "not verified"
    sources = ", ".join(str(source.location) for source in wait.sources)
    wanted = expected or "any one release"
    return f"{wanted}, from {sources}, {wait.consecutive} times in a row within {wait.within:g} s"


def _access(target: Target) -> str:
    access = target.access
    if not access.protected:
        return access.mode.value
    return f"{access.mode.value}, protected, writes {'granted' if access.granted else 'not granted'}"


def _policy(policy: Policy, seconds: float) -> str:
    actions = ", ".join(f"{severity} {action}" for severity, action in policy.actions.items())
    confirm = policy.confirm
    return (
        f"deadline {seconds:.0f} s; a failure counts after {confirm.attempts} attempts {confirm.spacing:g} s apart; "
        f"{actions}; {policy.flaky} flaky passes allowed"
    )


def _budget(target: Target) -> str:
    budget = target.budget
    return ", ".join(
        text
        for value, text in (
            (budget.requests, f"{budget.requests} requests"),
            (budget.per_second, f"{budget.per_second} a second"),
            (budget.in_flight, f"{budget.in_flight} at once"),
        )
        if value is not None
    )


def _row(item: pytest.Item) -> tuple[str, ...]:
    planned = item.stash[PLANNED]
    steps = _steps(item.check) if isinstance(item, CheckItem) else "Python test"
    services = ", ".join(planned.services) or "-"
    return (planned.severity.value, planned.kind, planned.owner or "-", services, planned.id, steps)


def _steps(check: Check) -> str:
    shown = [_step(step) for step in check.steps]
    return ", ".join(shown + [f"finally {_step(step)}" for step in check.cleanup])


def _step(step: Step) -> str:
    probe: Any = step.probe
    kind = type(probe).__name__.removesuffix("Probe").lower()
    place = getattr(probe, "location", None) or probe.service
    return f"{getattr(probe, 'method', kind)} {place}"


def _skipped(item: pytest.Item, target: Target) -> str | None:
    return skip_reason(item.check, target) if isinstance(item, CheckItem) else python_skip_reason(item, target)


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
