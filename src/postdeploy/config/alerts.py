"""How a target is monitored: when people are told, and who is told that the monitor lives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from postdeploy.config.alert_shape import ALERTS, alert_policy
from postdeploy.config.node import Node
from postdeploy.config.receiver_shape import HOOK
from postdeploy.config.report import Report, Wrong, in_order, raise_problems, show_path
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Type
from postdeploy.config.sources import Sources
from postdeploy.config.targets import resolved_target
from postdeploy.config.variables import expand_secret
from postdeploy.domain.alerting import AlertPolicy
from postdeploy.domain.secret import Secret
from postdeploy.errors import ConfigProblem

__all__ = ["Monitoring", "load_monitoring"]


class Monitoring(NamedTuple):
    """What a target says; ``problems`` are of what could not be read and is left out."""

    policy: AlertPolicy = AlertPolicy()
    heartbeat: Secret | None = None
    problems: tuple[ConfigProblem, ...] = ()


def load_monitoring(path: Path, target: str, environment: Mapping[str, str]) -> Monitoring:
    """How the target is monitored. Raises ConfigurationError for a file that cannot be read."""
    report = Report(show_path(path, Path.cwd()))
    entries = resolved_target(path, target, report).value
    raise_problems((report,))
    sources = Sources(environment, path.parent)
    values = _read(entries.get("alerts"), "alerts", ALERTS, sources, report)
    url = _read(entries.get("heartbeat"), "heartbeat", HOOK, sources, report)
    heartbeat = Secret("heartbeat", url) if url is not None else None
    return Monitoring(alert_policy(values or {}), heartbeat, in_order((*report.problems, *report.missing)))


def _read(node: Node | None, key: str, kind: Type, sources: Sources, report: Report) -> Any:
    """The value, or None if it is not there or wrong."""
    if node is None:
        return None
    missing = len(report.missing)
    node = expand_secret(node, sources, report)
    if len(report.missing) > missing:
        return None
    try:
        return kind.read(node, Scope(report))
    except Wrong as wrong:
        report.wrong(f"'{key}'", node, wrong)
        return None
