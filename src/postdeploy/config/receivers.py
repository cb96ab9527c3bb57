"""The receivers of a target: each is read by itself, so that one whose secret is missing keeps no other from news."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from postdeploy.config.node import Node
from postdeploy.config.receiver_shape import RECEIVER
from postdeploy.config.report import Report, Wrong, in_order, raise_problems, show_path
from postdeploy.config.scope import Scope
from postdeploy.config.sources import Sources
from postdeploy.config.targets import resolved_target
from postdeploy.config.variables import expand_secret
from postdeploy.domain.receiver import HttpReceiver, MailReceiver, Receiver
from postdeploy.domain.secret import Secret
from postdeploy.errors import ConfigProblem

__all__ = ["load_receivers"]

_EVENTS: Final = "https://events.pagerduty.com/v2/enqueue"
_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}


def load_receivers(
    path: Path, target: str, environment: Mapping[str, str]
) -> tuple[tuple[Receiver, ...], tuple[ConfigProblem, ...]]:
    """Who is told about this target, and what is wrong with those that are left out. Raises ConfigurationError."""
    report = Report(show_path(path, Path.cwd()))
    node = resolved_target(path, target, report)
    raise_problems((report,))
    notify = node.value.get("notify")
    entries = notify.value if notify is not None and isinstance(notify.value, dict) else {}
    sources = Sources(environment, path.parent)
    read = [_receiver(name, entry, sources, Report(report.path)) for name, entry in entries.items()]
    problems = in_order(problem for each in read if isinstance(each, tuple) for problem in each)
    return tuple(each for each in read if not isinstance(each, tuple)), problems


def _receiver(name: str, entry: Node, sources: Sources, report: Report) -> Receiver | tuple[ConfigProblem, ...]:
    node = expand_secret(entry, sources, report)
    values: dict[str, Any] = {}
    try:
        values = RECEIVER.read(node, Scope(report)) if not report.missing else {}
    except Wrong as wrong:
        report.wrong(f"'{name}'", node, wrong)
    wrong_ones = (*report.problems, *report.missing)
    return wrong_ones or _made(name, *next(iter(values.items())))


def _made(name: str, kind: str, value: Any) -> Receiver:
    if kind == "email":
        return _mail(name, value)
    settings = value if isinstance(value, dict) else {"url": value}
    key = settings.get("key") or settings.get("sign_with")
    url = Secret(f"{name}.url", settings.get("url", _EVENTS))
    return HttpReceiver(name, kind, url, Secret(f"{name}.key", key) if key else None)


def _mail(name: str, value: Mapping[str, Any]) -> MailReceiver:
    security = value.get("security", "starttls")
    host, port = value["server"]
    password = value.get("password")
    return MailReceiver(
        name,
        value["to"],
        value["from"],
        host,
        port or _PORTS[security],
        security,
        value.get("user"),
        Secret(f"{name}.password", password) if password else None,
    )
