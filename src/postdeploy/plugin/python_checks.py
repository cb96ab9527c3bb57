"""Python tests as checks: the ``check`` mark, what they may do to the target, and how often they are attempted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

import pytest

from postdeploy.domain.check import Kind, When
from postdeploy.domain.evidence import PlannedCheck
from postdeploy.domain.policy import Severity
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import AccessMode, Target
from postdeploy.plugin.keys import RESULT

__all__ = ["PAGE_FIXTURES", "plan_python", "prepare_python"]

PAGE_FIXTURES: Final = frozenset({"page", "context", "browser"})

_KEYS: Final = ("severity", "kind", "owner", "runbook", "when", "repeatable")


def plan_python(item: pytest.Item, target: Target) -> PlannedCheck:
    """The check that a Python test is. Raises pytest.UsageError for a ``check`` mark that cannot be."""
    mark = _mark(item)
    names = set(getattr(item, "fixturenames", ()))
    default = Kind.UI if names & PAGE_FIXTURES else Kind.API
    path, line, name = item.location
    return PlannedCheck(
        id=item.nodeid,
        name=name,
        kind=_word(item, "kind", mark.get("kind", default), list(Kind)),
        severity=Severity(_word(item, "severity", mark.get("severity", Severity.CRITICAL), list(Severity))),
        path=path,
        line=(line or 0) + 1,
        owner=mark.get("owner"),
        runbook=mark.get("runbook"),
        services=tuple(_services(names, target)),
        may_repeat=bool(mark.get("repeatable", item.get_closest_marker("writes") is None)),
    )


def prepare_python(item: pytest.Item, planned: PlannedCheck, target: Target) -> None:
    """Skip by policy what the target does not allow, and have failing tests attempted again."""
    reason = _skip_reason(item, target)
    if reason:
        item.stash[RESULT] = CheckResult(planned.id, Outcome.SKIPPED, reason=reason, by_policy=True)
        item.add_marker(pytest.mark.skip(reason=reason))
        return
    again = target.policy.confirm.attempts - 1
    chosen = item.get_closest_marker("flaky") or getattr(item.config.option, "reruns", None)
    if again and planned.may_repeat and not chosen and _can_rerun(item.config):
        item.add_marker(pytest.mark.flaky(reruns=again, reruns_delay=target.policy.confirm.spacing))


def _skip_reason(item: pytest.Item, target: Target) -> str | None:
    when = _mark(item).get("when")
    if when is not None and not _when(item, when).applies(target.name):
        return f"not for target '{target.name}'"
    if item.get_closest_marker("writes") and target.access.mode is AccessMode.READ_ONLY:
        return f"target '{target.name}' is read-only"
    return None


def _mark(item: pytest.Item) -> Mapping[str, Any]:
    """The arguments of all ``check`` marks, the closest one last."""
    merged: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("check"))):
        merged |= mark.kwargs
        if mark.args:
            raise _wrong(item, "the 'check' mark takes keyword arguments only")
    for key in merged:
        if key not in _KEYS:
            raise _wrong(item, f"the 'check' mark knows no '{key}'", key, _KEYS)
    return merged


def _when(item: pytest.Item, raw: Any) -> When:
    names = (raw,) if isinstance(raw, str) else raw
    if not isinstance(names, tuple | list | set | frozenset) or not all(isinstance(name, str) for name in names):
        raise _wrong(item, "'when' takes the name of a target or a list of them")
    return When(frozenset(names))


def _word(item: pytest.Item, key: str, value: Any, words: list[Any]) -> str:
    options = [str(word) for word in words]
    if str(value) not in options:
        raise _wrong(item, f"{key} {value!r} is none of {', '.join(options)}", str(value), options)
    return str(value)


def _wrong(item: pytest.Item, message: str, word: str = "", options: Any = ()) -> pytest.UsageError:
    path, line, _ = item.location
    close = get_close_matches(word, list(options), 1) if word else []
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    return pytest.UsageError(f"{path}:{(line or 0) + 1}: {message}{hint}")


def _services(names: set[str], target: Target) -> Iterator[str]:
    yield from (name for name in target.services if name in names)
    if names & PAGE_FIXTURES and "web" in target.services and "web" not in names:
        yield "web"


def _can_rerun(config: pytest.Config) -> bool:
    manager = config.pluginmanager
    return bool(manager.hasplugin("rerunfailures") or manager.hasplugin("pytest_rerunfailures"))
