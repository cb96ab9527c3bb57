"""The control of a target: its keys, and what they and the rest of its entry say of each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from postdeploy.config.node import Node, seen
from postdeploy.config.places import LOCATION, read_url
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, Type, mapping_of, table
from postdeploy.config.values import DURATION, NAME_PATTERN, count, read_line
from postdeploy.config.wording import way_out
from postdeploy.domain.quarantine import is_day
from postdeploy.domain.target import NEVER, Access, AccessMode, Service

__all__ = ["CONTROL", "URL", "check_control"]

_HOST_NAME: Final = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?$")


def _read_body(node: Node, scope: Scope) -> dict[str, str]:
    if table(node) == {}:
        raise Wrong("names no key of the body", "give each key the name of a secret: {email: test_email}")
    return {str(key): name for key, name in _BODY.read(node, scope).items()}


def _read_host_name(node: Node, _scope: Scope) -> str:
    name = read_line(node)
    if not _HOST_NAME.fullmatch(name):
        raise Wrong(f"takes a host name such as example.com, not {seen(node)}")
    return name.lower()


def _read_secret_name(node: Node, scope: Scope) -> str:
    name = read_line(node)
    if _is_unknown(name, scope):
        raise Wrong(f"names the secret {seen(node)}, which target '{scope.target}' does not have", _hint(name, scope))
    return name


def _is_unknown(name: str, scope: Scope) -> bool:
    return scope.secrets is not None and name not in scope.secrets


def _hint(name: str, scope: Scope) -> str:
    return way_out(name, scope.secrets) if scope.secrets else "name it under 'secrets'"


def _read_end(node: Node, _scope: Scope) -> str:
    day = read_line(node)
    if day != NEVER and not is_day(day):
        raise Wrong(f"takes a day such as 2026-12-01, or {NEVER}, not {seen(node)}")
    return day


def _read_expires(node: Node, scope: Scope) -> dict[str, str]:
    for name, each in table(node).items():
        if _is_unknown(name, scope):
            scope.report.add(each.key, f"'{name}' is no secret of target '{scope.target}'", _hint(name, scope))
    return dict(_ENDS.read(node, scope))


URL: Final = Type(read_url, {"type": "string", "pattern": r"^(https?://|\$\{)"})
"""What services and the control URL are written as."""

_BODY: Final = mapping_of(Type(_read_secret_name, {"type": "string", "pattern": NAME_PATTERN}), lambda _name: None)
_ACCOUNT: Final = Type(_read_body, {**_BODY.schema, "minProperties": 1})
_LOGIN: Final = Shape(
    {
        "post": Field(
            LOCATION, "Where accounts log in: service:/path; read-only access has to allow it.", required=True
        ),
        "test": Field(
            _ACCOUNT,
            "The JSON body with the account of the checks: keys, each with a secret's name.",
            required=True,
        ),
        "control": Field(_ACCOUNT, "The same with an account that nothing else uses.", required=True),
    }
)
_ENDS: Final = mapping_of(
    Type(_read_end, {"type": "string", "pattern": f"^([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|{NEVER})$"}), lambda _name: None
)
_EXPIRES: Final = Type(_read_expires, _ENDS.schema)
CONTROL: Final = Shape(
    {
        "url": Field(
            URL, "A URL that answers 2xx, and that shares nothing with the target which could fail together with it."
        ),
        "name": Field(
            Type(_read_host_name, {"type": "string", "pattern": _HOST_NAME.pattern}),
            "A host name that always resolves. Default: the host of url.",
        ),
        "skew": Field(DURATION, "How far the clock of the runner may be off. Default: 60s."),
        "timeout": Field(DURATION, "How long each question may take. Default: 3s."),
        "login": Field(_LOGIN.type, "How to tell wrong credentials of the checks from a broken login."),
        "expires": Field(
            _EXPIRES, "When secrets end: by name the first day, in UTC, on which one is refused, or never."
        ),
        "notice": Field(count(1, 365), "How many days before that there is a warning. Default: 7."),
    }
)


def check_control(node: Node, values: Mapping[str, Any], scope: Scope) -> None:
    """Report a control URL that is one of the target's own, and a login that its access does not allow."""
    control = values.get("control", {})
    written = node.value["control"].value if control else {}
    if "url" in control and _origin(control["url"]) in _origins(values):
        hint = "choose one that does not fail together with the target"
        scope.report.add(written["url"].at, "'url' is on the target itself, so it tells nothing beside it", hint)
    login = control.get("login", {})
    if "post" in login:
        access = Access(values.get("access", AccessMode.READ_ONLY), values.get("allow", ()))
        if not access.permits("POST", login["post"]):
            place = written["login"].value["post"].at
            scope.report.add(
                place, "'post' is not allowed by read-only access", f"add to 'allow': \"POST {login['post']}\""
            )


def _origin(url: str) -> str:
    return Service("", url).origin


def _origins(values: Mapping[str, Any]) -> set[str]:
    return {_origin(place["url"]) for place in values.get("services", {}).values() if "url" in place}
