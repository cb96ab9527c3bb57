"""One declared check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from postdeploy.config.check_shape import CHECK, read_when
from postdeploy.config.node import Node, seen
from postdeploy.config.placeholders import check_placeholders
from postdeploy.config.probes import VERBS
from postdeploy.config.report import Report, Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import table
from postdeploy.config.steps import ALL_STEP_FIELDS, ANY_STEP, DEFAULT_TIMEOUT, STEP, expects, read_step, verb_of
from postdeploy.domain.check import Check, HttpProbe, Kind, PageProbe, Repeat, Step, When
from postdeploy.domain.policy import Severity
from postdeploy.domain.quarantine import Quarantine

__all__ = ["Suite", "read_check"]

_HEALTH_PATHS: Final = frozenset({"healthz", "readyz", "livez", "health", "ready", "build-info.json"})
_HEALTH_VERBS: Final = frozenset({"tls", "dns", "tcp"})
_HEALTH_SUITE: Final = "health"


class Suite(NamedTuple):
    """What a check takes from its file: the path and the defaults."""

    path: str
    defaults: Mapping[str, Any]


def read_check(node: Node, suite: Suite, scope: Scope) -> Check | None:
    """The check, or None where too little of it could be read; what is wrong is reported. Raises Wrong."""
    scope = _narrowed(node, scope)
    verb = verb_of(node, scope, CHECK["any"].fields, ("steps",))
    found = CHECK[VERBS.get(verb or "", verb or "any")].read(node, scope)
    if verb is None:
        return None
    timeout = found.get("timeout", suite.defaults.get("timeout", DEFAULT_TIMEOUT))
    saved: dict[str, None] = {}
    if verb == "steps":
        steps = _steps(node.value["steps"], timeout, saved, scope, main=True)
    else:
        steps = _only_step(verb, node, found, timeout, saved, scope)
    cleanup = _steps(node.value["finally"], timeout, saved, scope, main=False) if "finally" in node.value else ()
    if "name" not in found or not steps:
        return None
    return _check(node, suite, found, steps, cleanup)


def _narrowed(node: Node, scope: Scope) -> Scope:
    """A check that does not run on the target may name services and secrets that the target does not have."""
    when = table(node).get("when")
    if when is None:
        return scope
    try:
        applies = read_when(when, scope._replace(report=Report(scope.report.path))).applies(scope.target)
    except Wrong:
        applies = False
    return scope if applies else scope._replace(services=None, secrets=None)


def _only_step(
    verb: str, node: Node, found: Mapping[str, Any], timeout: float, saved: dict[str, None], scope: Scope
) -> tuple[Step, ...]:
    if node.templated:
        own = {key: item for key, item in node.value.items() if key in ALL_STEP_FIELDS}
        check_placeholders(node._replace(value=own), (), scope)
    step = read_step(verb, node, found, timeout, scope, implied=True)
    if not expects(node) and all(key in CHECK["any"].fields for key in node.value):
        hint = "add an expectation beside 'any'" if "expect" in node.value else "add 'expect'"
        scope.report.add(node.at, "the check expects nothing", hint)
    if step is None:
        return ()
    saved.update((save.name, None) for save in step.save)
    return (step,)


def _steps(node: Node, timeout: float, saved: dict[str, None], scope: Scope, *, main: bool) -> tuple[Step, ...]:
    if not isinstance(node.value, list) or not node.value:
        subject = "steps" if main else "finally"
        scope.report.add(node.at, f"'{subject}' takes a list of steps, not {seen(node)}", "begin each step with '- '")
        return ()
    steps = [step for item in node.value if (step := _step(item, timeout, saved, scope, main=main)) is not None]
    if main and not any(isinstance(item.value, dict) and expects(item) for item in node.value):
        scope.report.add(node.key, "the check expects nothing", "add 'expect' to one of its steps")
    return tuple(steps)


def _step(item: Node, timeout: float, saved: dict[str, None], scope: Scope, *, main: bool) -> Step | None:
    if scope.report.full:
        return None
    try:
        verb = verb_of(item, scope, ALL_STEP_FIELDS)
    except Wrong as wrong:
        scope.report.wrong("a step", item, wrong)
        return None
    check_placeholders(item, saved, scope)
    if verb is None:
        ANY_STEP.read(item, scope)
        return None
    step = read_step(verb, item, STEP[VERBS[verb]].read(item, scope), timeout, scope, implied=main)
    if step is not None:
        saved.update((save.name, None) for save in step.save)
    return step


def _check(
    node: Node, suite: Suite, found: Mapping[str, Any], steps: tuple[Step, ...], cleanup: tuple[Step, ...]
) -> Check:
    values = {**suite.defaults, **found}
    line, column = node.at
    return Check(
        id=values.get("id", f"{suite.path}::{values['name']}"),
        name=values["name"],
        kind=values.get("kind") or _kind(suite.path, steps),
        path=suite.path,
        line=line,
        column=column,
        steps=steps,
        cleanup=cleanup,
        severity=values.get("severity", Severity.CRITICAL),
        owner=values.get("owner"),
        runbook=values.get("runbook"),
        issues=values.get("issue", ()),
        tags=values.get("tags", ()),
        when=values.get("when", When()),
        repeat=values.get("repeat", Repeat()),
        repeatable=values.get("repeatable", False),
        quarantine=_quarantine(values.get("quarantine")),
        vantages=values.get("vantages", ()),
    )


def _quarantine(found: Mapping[str, str] | None) -> Quarantine | None:
    """Only a whole one: what is missing in it was reported."""
    return Quarantine(**found) if found and len(found) == len(Quarantine.__slots__) else None


def _kind(path: str, steps: Iterable[Step]) -> Kind:
    """The kind of a check that does not say it.

    ``ui`` if it opens a page; ``health`` if its suite is called health, or if all that it does is to look at
    certificates, names and ports or to read places such as /healthz; else ``api``.
    """
    probes = [step.probe for step in steps]
    if any(isinstance(probe, PageProbe) for probe in probes):
        return Kind.UI
    stem = path.rpartition("/")[2].partition(".")[0]
    return Kind.HEALTH if stem == _HEALTH_SUITE or all(map(_about_health, probes)) else Kind.API


def _about_health(probe: object) -> bool:
    if not isinstance(probe, HttpProbe):
        return type(probe).__name__.removesuffix("Probe").lower() in _HEALTH_VERBS
    last = probe.location.path.partition("?")[0].rstrip("/").rpartition("/")[2]
    return not probe.writes and last in _HEALTH_PATHS
