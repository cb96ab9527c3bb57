"""Declared suites become checks."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from postdeploy.config.check_shape import DEFAULTS
from postdeploy.config.checks import Suite, read_check
from postdeploy.config.node import Node, seen
from postdeploy.config.report import Report, raise_problems, show_path
from postdeploy.config.scope import Scope
from postdeploy.config.shape import UNREAD, Field, Shape, Type, read_entry
from postdeploy.config.values import LINE
from postdeploy.config.yaml_source import SUITE_LIMIT, read_yaml
from postdeploy.domain.check import Check
from postdeploy.domain.target import Target

__all__ = ["SUITE", "load_suites", "read_suite", "report_duplicates"]


SUITE: Final = Shape(
    {
        "name": Field(LINE, "What the suite is called in reports."),
        "defaults": Field(DEFAULTS.type, "What holds for every check that does not say otherwise."),
        "checks": Field(
            Type(UNREAD.type.read, {"type": "array", "items": {"$ref": "#/definitions/check"}, "minItems": 1}),
            "The checks: each sends something to the target and says what it expects.",
            required=True,
        ),
    }
)


def load_suites(
    paths: Iterable[Path], root: Path, target: Target, targets: Collection[str] | None = None
) -> tuple[Check, ...]:
    """The checks of all files. Raises ConfigurationError with everything that is wrong in any of them."""
    with _without_garbage_collection():
        return _load_suites(paths, root, target, targets)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A large suite is millions of objects and no garbage; looking for some would double the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load_suites(
    paths: Iterable[Path], root: Path, target: Target, targets: Collection[str] | None
) -> tuple[Check, ...]:
    checks: list[Check] = []
    reports: dict[str, Report] = {}
    for path in dict.fromkeys(paths):
        shown = show_path(path, root)
        report = reports[shown] = Report(shown)
        scope = Scope(report, target.name, tuple(target.services), tuple(target.secrets), targets)
        document = read_yaml(path, report, SUITE_LIMIT)
        if document is not None:
            checks += read_suite(document, scope)
    report_duplicates(checks, reports)
    raise_problems(reports.values())
    return tuple(checks)


def read_suite(document: Node, scope: Scope) -> list[Check]:
    """The checks of a document that could be read; what is wrong is reported."""
    path = scope.report.path
    found = SUITE.read(document, scope)
    suite = Suite(path, found.get("defaults", {}))
    node = document.value.get("checks")
    if node is None:
        return []
    if not isinstance(node.value, list) or not node.value:
        scope.report.add(
            node.at, f"'checks' takes a list with at least one check, not {seen(node)}", "begin each with '- name:'"
        )
        return []
    checks: dict[str, Check | None] = {}
    for index, item in enumerate(node.value):
        read_entry(checks, str(index), lambda each, inner: read_check(each, suite, inner), item, scope, "a check")
    return [check for check in checks.values() if check is not None]


def report_duplicates(checks: Iterable[Check], reports: dict[str, Report]) -> None:
    """Report every check whose id another one has already, naming both places."""
    first: dict[str, Check] = {}
    for check in checks:
        known = first.setdefault(check.id, check)
        if known is not check:
            hint = f"first at {known.path}:{known.line}:{known.column}; give it another name, or an 'id'"
            reports[check.path].add((check.line, check.column), f"duplicate check '{check.id}'", hint)
