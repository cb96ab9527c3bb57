"""The keys of a check that are not about its step, and those of a suite's defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from postdeploy.config.node import Node, seen
from postdeploy.config.probes import STEP_FIELDS
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import UNREAD, Field, Shape, Type, one_or_list
from postdeploy.config.steps import ALL_STEP_FIELDS
from postdeploy.config.values import DURATION, FLAG, LINE, VANTAGE, choice, count, read_line
from postdeploy.config.wording import way_out
from postdeploy.domain.check import ISSUE, Kind, Repeat, When
from postdeploy.domain.policy import Severity
from postdeploy.domain.quarantine import is_day

__all__ = ["CHECK", "DEFAULTS", "STEPS", "read_when"]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
_MOST: Final = 1000


def _read_id(node: Node, _scope: Scope) -> str:
    text = read_line(node)
    if not _ID.fullmatch(text):
        raise Wrong(f"takes an id, not {seen(node)}", "use letters, digits and . _ : / -")
    return text


def _read_target_name(node: Node, scope: Scope) -> str:
    name = read_line(node)
    if scope.targets is not None and name not in scope.targets:
        raise Wrong(f"names the target '{name}', which targets.yaml does not have", way_out(name, scope.targets))
    return name


_TARGET_NAMES: Final = one_or_list(Type(_read_target_name, {"type": "string"}))
_WHEN: Final = Shape(
    {
        "target": Field(_TARGET_NAMES, "The targets that the check runs on."),
        "not": Field(_TARGET_NAMES, "The targets that it does not run on."),
    }
)


def read_when(node: Node, scope: Scope) -> When:
    """On which targets a check runs. Raises Wrong."""
    if not isinstance(node.value, dict):
        return When(frozenset(_TARGET_NAMES.read(node, scope)))
    found = _WHEN.read(node, scope)
    if not node.value:
        raise Wrong("names no target", "write a name, a list of names, or {not: name}")
    return When(frozenset(found.get("target", ())), frozenset(found.get("not", ())))


_REPEAT: Final = Shape(
    {
        "times": Field(count(1, _MOST), "How often the check is executed within one attempt.", required=True),
        "pass": Field(count(1, _MOST), "How many of these must pass. Default: all."),
    }
)


def _read_repeat(node: Node, scope: Scope) -> Repeat:
    found = _REPEAT.read(node, scope)
    times = found.get("times", 1)
    passes = found.get("pass", times)
    if passes > times and "times" in found:
        raise Wrong(f"asks for {passes} passes out of {times}")
    return Repeat(times, passes)


def _read_day(node: Node, _scope: Scope) -> str:
    day = read_line(node)
    if not is_day(day):
        raise Wrong(f"takes a day such as 2026-12-01, not {seen(node)}")
    return day


_QUARANTINE: Final = Shape(
    {
        "owner": Field(LINE, "Who mends it.", required=True),
        "until": Field(
            Type(_read_day, {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
            "The first day, in UTC, on which its failures count again.",
            required=True,
        ),
        "reason": Field(LINE, "Why it is there, such as the number of an issue.", required=True),
    }
)


def _read_issue(node: Node, _scope: Scope) -> str:
    url = read_line(node)
    if not re.fullmatch(ISSUE, url):
        raise Wrong(f"takes the URL of an issue, not {seen(node)}", "such as https://github.com/acme/shop/issues/7")
    return url


_SHARED: Final[Mapping[str, Field]] = {
    "kind": Field(choice(Kind), "What it is about: health, api or ui. Default: seen from what it does."),
    "severity": Field(choice(Severity), "How much a confirmed failure weighs. Default: critical."),
    "owner": Field(LINE, "Who looks after it."),
    "runbook": Field(LINE, "Where it stands what to do when it fails."),
    "issue": Field(
        one_or_list(Type(_read_issue, {"type": "string", "pattern": f"^{ISSUE}$"})),
        "Where it stands what is known of its failures: a URL or a list of them.",
    ),
    "tags": Field(one_or_list(LINE), "Words to select it by."),
}
DEFAULTS: Final = Shape({**_SHARED, "timeout": Field(DURATION, "How long each step may take. Default: 10s.")})
"""What a suite may say for all of its checks; what a check says itself replaces it."""

_COMMON: Final[Mapping[str, Field]] = {
    "name": Field(LINE, "What holds if the check passes, in a few words; once in a file.", required=True),
    "id": Field(
        Type(_read_id, {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"}),
        "An id that stays when path or name change. Default: path::name.",
    ),
    **_SHARED,
    "when": Field(
        Type(read_when, {"anyOf": [_TARGET_NAMES.schema, _WHEN.schema | {"minProperties": 1}]}),
        "The targets that it runs on: a name, a list, {target: …} or {not: …}. Default: all.",
    ),
    "repeat": Field(
        Type(_read_repeat, _REPEAT.schema), "How often it is executed and how many must pass: {times: 10, pass: 9}."
    ),
    "vantages": Field(
        one_or_list(VANTAGE), "The vantages that it runs at, where a run has one: a name or a list. Default: all."
    ),
    "quarantine": Field(
        _QUARANTINE.type, "Keeps its failures from counting until a day: {owner: web, until: 2026-12-01, reason: …}."
    ),
    "repeatable": Field(FLAG, "Whether it may be tried again although it writes. Default: false."),
    "finally": Field(
        Type(UNREAD.type.read, {"$ref": "#/definitions/cleanup"}), "Steps that clean up, whatever came of the others."
    ),
}
STEPS: Final[Mapping[str, Field]] = {
    "steps": Field(Type(UNREAD.type.read, {"$ref": "#/definitions/steps"}), "Several steps, one after the other."),
    "timeout": Field(DURATION, "How long each step may take. Default: 10s."),
}


def _shapes() -> dict[str, Shape]:
    shapes = {kind: Shape({**_COMMON, **fields}, _foreign(fields)) for kind, fields in STEP_FIELDS.items()}
    within_steps = {key: f"'{key}' belongs to one of the steps" for key in ALL_STEP_FIELDS if key not in STEPS}
    anything: dict[str, Any] = {**_COMMON, **STEPS, **dict.fromkeys(ALL_STEP_FIELDS, UNREAD)}
    return shapes | {"steps": Shape({**_COMMON, **STEPS}, within_steps), "any": Shape(anything)}


def _foreign(fields: Mapping[str, Field]) -> dict[str, str]:
    verb = next(iter(fields))
    return {key: f"'{key}' does not go with '{verb}'" for key in ALL_STEP_FIELDS if key not in fields}


CHECK: Final[Mapping[str, Shape]] = _shapes()
"""The shape of a check by kind of its one probe, for ``steps``, and for ``any`` where it is not clear what it does."""
