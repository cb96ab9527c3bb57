"""Everything that is wrong in all files at once, for every target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from postdeploy.config.node import Node
from postdeploy.config.report import Report, in_order, show_path
from postdeploy.config.scope import Scope
from postdeploy.config.sources import Sources
from postdeploy.config.suites import read_suite, report_duplicates
from postdeploy.config.targets import read_targets_file
from postdeploy.config.yaml_source import SUITE_LIMIT, read_yaml
from postdeploy.domain.check import Check
from postdeploy.errors import ConfigProblem

__all__ = ["problems"]


def problems(
    targets: Path, suites: Iterable[Path], root: Path, environment: Mapping[str, str]
) -> tuple[ConfigProblem, ...]:
    """Everything that is wrong, by file and position; each suite is checked against every target it may run on.

    Variables that are not set are no problem here: nobody has the secrets of all targets at hand.
    """
    report = Report(show_path(targets, root))
    entries = read_targets_file(targets, report, Sources(environment, targets.parent)) or {}
    scopes = [entry.scope for entry in entries.values()] or [Scope(report)]
    found = [*report.problems]
    documents = [(each, read_yaml(path, each, SUITE_LIMIT)) for path, each in _reports(suites, root)]
    for scope in scopes:
        _read(documents, scope)
    for each, _document in documents:
        found += each.problems
    return in_order(found)


def _reports(suites: Iterable[Path], root: Path) -> list[tuple[Path, Report]]:
    return [(path, Report(show_path(path, root))) for path in dict.fromkeys(suites)]


def _read(documents: Iterable[tuple[Report, Node | None]], scope: Scope) -> None:
    checks: list[Check] = []
    for report, document in documents:
        if document is not None:
            checks += read_suite(document, scope._replace(report=report))
    report_duplicates(checks, {report.path: report for report, _document in documents})
