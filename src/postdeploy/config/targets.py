"""targets.yaml becomes targets."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from postdeploy.config.control import check_control
from postdeploy.config.history import KEY as HISTORY_KEY
from postdeploy.config.history import HistoryEntry, read_history
from postdeploy.config.inheritance import resolve
from postdeploy.config.node import Node, plain, seen
from postdeploy.config.report import Report, raise_problems, show_path
from postdeploy.config.scope import Scope
from postdeploy.config.sources import Sources
from postdeploy.config.target_shape import TARGET
from postdeploy.config.variables import expand
from postdeploy.config.wording import nearest, way_out
from postdeploy.config.yaml_source import TARGETS_LIMIT, read_yaml
from postdeploy.domain.policy import Confirmation, OnFailure, Policy, Severity
from postdeploy.domain.redaction import Secret
from postdeploy.domain.target import (
    Access,
    AccessMode,
    Budget,
    Control,
    Login,
    Maintenance,
    ReleaseSource,
    ReleaseWait,
    Server,
    Service,
    Target,
)
from postdeploy.errors import ConfigProblem, SecretMissingError

__all__ = [
    "Entry",
    "Identity",
    "Outline",
    "load_target",
    "read_entries",
    "read_outline",
    "read_targets_file",
    "resolved_target",
    "target_identity",
    "target_names",
    "target_policy",
]

_TARGET_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")
_KEYS: Final = ("targets", HISTORY_KEY)
_TELLING: Final = ("notify", "alerts", "heartbeat")
_NO_FILE: Final = (
    "write one, such as 'targets: {staging: {services: {web: https://staging.example.com}}}', or name it with --targets"
)


class Entry(NamedTuple):
    """A target as it stands in the file, resolved and expanded, with the values that could be read."""

    node: Node
    scope: Scope
    values: dict[str, Any]


class Identity(NamedTuple):
    """What a target resolves to without its secrets: URLs of its services by name, and the digest of its entry."""

    services: Mapping[str, str]
    digest: str


class Outline(NamedTuple):
    """What a targets file says beside its targets: their names in order, and where runs are remembered."""

    targets: tuple[str, ...]
    history: HistoryEntry | None


def load_target(
    path: Path, name: str, environment: Mapping[str, str], handed: Mapping[str, str] | None = None
) -> Target:
    """The target of this name. Raises ConfigurationError or SecretMissingError with everything that is wrong."""
    return _target(name, _load_entry(path, name, environment, chosen=name, handed=handed))


def target_identity(path: Path, name: str, environment: Mapping[str, str]) -> Identity:
    """What the target resolves to; of variables, it needs only those outside of secrets. Raises ConfigurationError."""
    entry = _load_entry(path, name, environment, chosen=None)
    try:
        digest = _digest(entry.node)
    except TypeError as error:
        message = f"target '{name}' needs a variable that is not set"
        problem = ConfigProblem(show_path(path, Path.cwd()), *entry.node.at, message, "set it as for the run itself")
        raise SecretMissingError([problem]) from error
    return Identity({service: place["url"] for service, place in entry.values["services"].items()}, digest)


def target_policy(path: Path, name: str, environment: Mapping[str, str]) -> Policy:
    """The policy of the target, for which no secret need be set. Raises ConfigurationError."""
    return _policy(_load_entry(path, name, environment, chosen=None).values.get("policy", {}))


def _load_entry(
    path: Path,
    name: str,
    environment: Mapping[str, str],
    chosen: str | None,
    handed: Mapping[str, str] | None = None,
) -> Entry:
    report = Report(show_path(path, Path.cwd()))
    entries = read_targets_file(path, report, Sources(environment, path.parent, handed or {}), chosen)
    if entries is not None and name not in entries and (entries or not report.problems):
        _unknown(name, entries, report)
    raise_problems((report,))
    if entries is None:  # pragma: no cover - then something was reported
        raise AssertionError
    return entries[name]


def resolved_target(path: Path, name: str, report: Report) -> Node:
    """The entry of a target as it is written, with what it extends; what is wrong is raised or reported."""
    root = _read(path, report)
    nodes = _nodes(root, report) if root is not None else {}
    if root is not None and name not in nodes:
        _unknown(name, nodes, report)
    raise_problems((report,))
    return resolve(name, nodes, report)


def target_names(path: Path) -> tuple[str, ...]:
    """The names of all targets, in the order of the file. Raises ConfigurationError for a file that has none."""
    return read_outline(path, {}, remembers=False).targets


def read_outline(path: Path, environment: Mapping[str, str], *, remembers: bool) -> Outline:
    """The names of all targets, and the history, whose variables must be set only for a process that ``remembers``.

    Raises ConfigurationError for a file without targets, and for a history that cannot be.
    """
    report = Report(show_path(path, Path.cwd()))
    root = _read(path, report)
    names = tuple(_nodes(root, report)) if root is not None else ()
    sources = Sources(environment, path.parent)
    history = read_history(root, report, sources, required=remembers) if root is not None else None
    raise_problems((report,))
    return Outline(names, history)


def read_targets_file(
    path: Path, report: Report, sources: Sources, chosen: str | None = None
) -> dict[str, Entry] | None:
    """Every target of the file; what is wrong is reported. Only the chosen one must have all its variables."""
    root = _read(path, report)
    return None if root is None else read_entries(root, report, sources, chosen)


def read_entries(root: Node, report: Report, sources: Sources, chosen: str | None = None) -> dict[str, Entry]:
    """The same for a document that is already read."""
    nodes = _nodes(root, report)
    read_history(root, report, sources, required=False)
    return {name: _entry(name, nodes, report, sources, required=name == chosen) for name in nodes}


def _read(path: Path, report: Report) -> Node | None:
    return read_yaml(path, report, TARGETS_LIMIT, _NO_FILE, first="targets")


def _nodes(root: Node, report: Report) -> dict[str, Node]:
    unknown = {key: node for key, node in root.value.items() if key not in _KEYS}
    for key, node in unknown.items():
        report.add(node.key, f"unknown key '{key}'", way_out(key, _KEYS))
    node = root.value.get("targets")
    if node is None:
        if not nearest("targets", unknown):
            report.add(root.at, "'targets' is missing", "add 'targets:' with at least one target")
        return {}
    if not isinstance(node.value, dict) or not node.value:
        report.add(node.at, f"'targets' takes a mapping with at least one target, not {seen(node)}")
        return {}
    return {name: entry for name, entry in node.value.items() if _named(name, entry, report)}


def _named(name: str, entry: Node, report: Report) -> bool:
    if not _TARGET_NAME.fullmatch(name):
        report.add(entry.key, f"'{ascii(name)[1:-1]}' is no name of a target", "use letters, digits, '.', '_' and '-'")
    elif not isinstance(entry.value, dict):
        report.add(entry.at, f"'{name}' takes a mapping, not {seen(entry)}")
    else:
        return True
    return False


def _entry(name: str, nodes: Mapping[str, Node], report: Report, sources: Sources, *, required: bool) -> Entry:
    node = expand(resolve(name, nodes, report), sources, report, required=required)
    if "services" not in node.value and "extends" not in nodes[name].value and not _misspelt("services", node):
        report.add(node.key, "'services' is missing", "add one, such as services: {web: https://staging.example.com}")
    scope = Scope(report, name, _services(node), _keys(node, "secrets"), tuple(nodes))
    values = TARGET.read(node, scope)
    check_control(node, values, scope)
    return Entry(node, scope, values)


def _misspelt(key: str, node: Node) -> bool:
    """Whether an unknown key must have been meant so, which is reported by itself."""
    return nearest(key, node.value.keys() - TARGET.fields.keys()) is not None


def _services(node: Node) -> tuple[str, ...] | None:
    """Those that may be named; any, where what is wrong with ``services`` itself is reported."""
    item = node.value.get("services")
    return tuple(item.value) if item is not None and isinstance(item.value, dict) else None


def _keys(node: Node, key: str) -> tuple[str, ...]:
    item = node.value.get(key)
    return tuple(item.value) if item is not None and isinstance(item.value, dict) else ()


def _unknown(name: str, entries: Collection[str], report: Report) -> None:
    known = f"known: {', '.join(entries)}"
    if not name.strip():
        report.add((0, 0), f"no target was named; {known}", "choose one with --target=NAME")
        return
    close = nearest(name, entries)
    report.add((0, 0), f"no target {name!a}; {known}", f"did you mean '{close}'?" if close else None)


def _target(name: str, entry: Entry) -> Target:
    values = entry.values
    return Target(
        name=name,
        services={service: Service(service, **place) for service, place in values["services"].items()},
        access=Access(
            values.get("access", AccessMode.READ_ONLY),
            values.get("allow", ()),
            values.get("deny", ()),
            values.get("protected", False),
        ),
        budget=Budget(**values.get("budget", {})),
        policy=_policy(values.get("policy", {})),
        release=_release(values["release"]) if "release" in values else None,
        control=_control(values.get("control", {})),
        maintenance=Maintenance(**values.get("maintenance", {})),
        server=Server(**values["server"]) if "server" in values else None,
        secrets={secret: Secret(secret, value) for secret, value in values.get("secrets", {}).items()},
        third_party=values.get("third_party", ()),
        connect=values.get("connect", ()),
        programs=values.get("programs", ()),
        config_digest=_digest(entry.node),
    )


def _policy(values: Mapping[str, Any]) -> Policy:
    default = Policy()
    actions = {Severity(key): OnFailure(value) for key, value in values.get("actions", {}).items()}
    return Policy(
        deadline=values.get("deadline", default.deadline),
        confirm=Confirmation(**values.get("confirm", {})),
        flaky=values.get("flaky", default.flaky),
        actions={**default.actions, **actions},
        on_maintenance=values.get("on_maintenance", default.on_maintenance),
        vantages=values.get("vantages", ()),
        quorum=values.get("quorum"),
        on_regional=values.get("on_regional", default.on_regional),
    )


def _control(values: Mapping[str, Any]) -> Control:
    login = values.get("login")
    rest = {key: value for key, value in values.items() if key != "login"}
    return Control(**rest, login=Login(login["post"], login["test"], login["control"]) if login else None)


def _release(values: Mapping[str, Any]) -> ReleaseWait:
    rest = {key: value for key, value in values.items() if key not in {"from", "json"}}
    return ReleaseWait(tuple(ReleaseSource(place, values.get("json")) for place in values["from"]), **rest)


def _digest(node: Node) -> str:
    """SHA-256 of the resolved entry; of secrets and of the server's variables only the names count.

    Who is told of a verdict, and when, is no part of what is verified.
    """
    entry = plain(node._replace(value={key: item for key, item in node.value.items() if key not in _TELLING}))
    for holder, key in ((entry, "secrets"), (entry.get("server", {}), "environment")):
        if key in holder:
            holder[key] = sorted(holder[key])
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
