"""The keys of a target in targets.yaml."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import Any, Final

from postdeploy.config.answers import HEADER_NAME, JSON_PATH
from postdeploy.config.boundaries import DENIED, PEER, THIRD_PARTY
from postdeploy.config.control import CONTROL, URL
from postdeploy.config.node import Node, seen, told
from postdeploy.config.places import LOCATION, LOCATION_PATTERN, check_path, know_service, read_url
from postdeploy.config.policy_shape import POLICY
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, Type, list_of, mapping_of, one_or_list, table
from postdeploy.config.values import (
    DURATION,
    FLAG,
    LINE,
    NAME_PATTERN,
    TEXT,
    choice,
    count,
    name_check,
    number,
    read_line,
    read_text,
)
from postdeploy.domain.secret import weakness
from postdeploy.domain.target import SAFE_METHODS, AccessMode, AllowRule, Location

__all__ = ["RESERVED", "TARGET"]

RESERVED: Final = frozenset(
    {
        *("target", "release", "secrets", "client", "page", "context", "browser", "playwright", "evidence"),
        *("expected", "browser_context_args", "subtests", "undo"),
        *("request", "config", "session", "tmp_path", "monkeypatch", "capsys", "caplog"),
    }
)
"""Names of fixtures that no service may take, for each service has a fixture of its own name."""

_RULE: Final = r"([A-Za-z]+) +([a-z][a-z0-9_]*):(/\S*)"
_WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")


def _check_service_name(name: str) -> None:
    name_check("service", RESERVED)(name)
    if iskeyword(name):
        raise Wrong("cannot be the name of a service", "it is a word of Python; choose another one")


def _read_service(node: Node, scope: Scope) -> dict[str, str]:
    return _SERVICE.read(node, scope) if isinstance(node.value, dict) else {"url": read_url(node, scope)}


def _read_health(node: Node, _scope: Scope) -> str:
    path = read_line(node)
    if not path.startswith("/"):
        raise Wrong(f"takes a path that begins with '/', not {seen(node)}")
    return check_path(path)


def _read_services(node: Node, scope: Scope) -> dict[str, dict[str, str]]:
    if table(node) == {}:
        raise Wrong("names no service", "add one, such as web: https://staging.example.com")
    return dict(_SERVICES.read(node, scope))


def _read_secret(node: Node, _scope: Scope) -> str:
    value = read_text(node)
    weak = weakness(value)
    if weak:
        raise Wrong(weak, "masking it would hide what is no secret: choose a longer, random value")
    return value


def _read_rule(node: Node, scope: Scope) -> AllowRule:
    match = re.fullmatch(_RULE, read_line(node))
    if match is None:
        raise Wrong(f"takes a rule such as 'POST api:/auth/login', not {seen(node)}", "METHOD service:/path")
    method = match[1].upper()
    if method in SAFE_METHODS:
        raise Wrong(f"allows {told(node, method)}, which is always allowed", "remove the rule")
    if method not in _WRITES:
        raise Wrong(f"allows {told(node, method)}, which no check sends", f"one of {', '.join(_WRITES)}")
    if any(character in match[3] for character in "?[]"):
        raise Wrong("holds '?', '[' or ']' in its path", "a path with '*'; queries do not count")
    know_service(match[2], node, scope)
    return AllowRule(method, Location(match[2], check_path(match[3])))


def _read_notify(node: Node, scope: Scope) -> Any:
    """Most targets have none, so what reads it is imported for those that do; its schema is in config/schema.py."""
    from postdeploy.config.receiver_shape import NOTIFY

    return NOTIFY.read(node, scope)


def _read_alerts(node: Node, scope: Scope) -> Any:
    """The same, for those that are monitored."""
    from postdeploy.config.alert_shape import ALERTS

    return ALERTS.read(node, scope)


def _read_heartbeat(node: Node, scope: Scope) -> Any:
    from postdeploy.config.receiver_shape import HOOK

    return HOOK.read(node, scope)


_SERVICE: Final = Shape(
    {
        "url": Field(URL, "http or https, a host, perhaps a port and a path.", required=True),
        "health": Field(
            Type(_read_health, {"type": "string", "pattern": "^/"}),
            "A path that answers below 500 when the service is up. Without it any answer counts as up.",
        ),
    }
)
_SERVICES: Final = mapping_of(
    Type(_read_service, {"anyOf": [URL.schema, _SERVICE.schema]}), _check_service_name, NAME_PATTERN
)
_SERVER: Final = Shape(
    {
        "command": Field(
            list_of(TEXT), "The command and its arguments, one item each; no shell reads it.", required=True
        ),
        "ready": Field(
            LOCATION, "The place that answers 2xx when the server may be used: service:/path.", required=True
        ),
        "within": Field(DURATION, "How long it may take to become ready. Default: 30s."),
        "environment": Field(
            mapping_of(TEXT, lambda _name: None), "Variables that the server gets beside those of the run."
        ),
    }
)
_MAINTENANCE: Final = Shape(
    {
        "header": Field(HEADER_NAME, "A response header that only an answer in maintenance has."),
        "contains": Field(LINE, "A text that only an answer in maintenance contains."),
    }
)
_RELEASE: Final = Shape(
    {
        "from": Field(
            one_or_list(LOCATION),
            "The place, or places, that tell which release is live: service:/path.",
            required=True,
        ),
        "json": Field(JSON_PATH, "Where in that answer the release stands: a JSON path such as $.commit."),
        "header": Field(HEADER_NAME, "The response header that names the release on ordinary answers."),
        "within": Field(DURATION, "How long to wait for the expected release. Default: 3m."),
        "consecutive": Field(count(1, 100), "How many matching answers in a row each place must give. Default: 3."),
        "interval": Field(DURATION, "The time between two looks at one place. Default: 500ms."),
    }
)
_BUDGET: Final = Shape(
    {
        "requests": Field(count(1, 10_000_000), "How many requests a run may send in all. Default: no limit."),
        "per_second": Field(number(), "How many requests a second. Default: no limit."),
        "in_flight": Field(count(1, 1000), "How many requests at once. Default: 50."),
        "bytes": Field(count(1, 10**12), "How many bytes of answers in all. Default: no limit."),
    }
)
TARGET: Final = Shape(
    {
        "extends": Field(TEXT, "The target whose entry this one takes over; mappings are merged, lists are replaced."),
        "services": Field(
            Type(_read_services, {**_SERVICES.schema, "minProperties": 1}),
            "The origins of the target by name, such as web and api. Tests get a client fixture for each.",
        ),
        "server": Field(_SERVER.type, "A local server that a run starts by itself and ends afterwards."),
        "release": Field(
            _RELEASE.type, "How to tell which release is live, and how long to wait for the expected one."
        ),
        "control": Field(CONTROL.type, "How to tell a sick runner from a broken target."),
        "maintenance": Field(_MAINTENANCE.type, "How a service says that it is closed on purpose."),
        "secrets": Field(
            mapping_of(Type(_read_secret, TEXT.schema), name_check("secret"), NAME_PATTERN),
            'Values that are masked everywhere, by name: "${VARIABLE}", "${file:PATH}" or "${cmd:COMMAND}". '
            "Suites use them as ${secrets.name}.",
        ),
        "access": Field(choice(AccessMode), "Whether a run may write to the target. Default: read-only."),
        "allow": Field(
            list_of(
                Type(
                    _read_rule,
                    {"type": "string", "pattern": rf"^[A-Za-z]+ +{LOCATION_PATTERN[1:]}"},
                )
            ),
            "Exceptions to read-only access: METHOD service:/path, with * for any text.",
        ),
        "deny": Field(
            list_of(DENIED),
            "Paths that are never asked for, by any method: /path or service:/path, with * for any text.",
        ),
        "protected": Field(FLAG, "Whether writes need --allow-writes=TARGET on the command line, too. Default: false."),
        "third_party": Field(
            list_of(THIRD_PARTY),
            "Other hosts that pages may use: host, host:port or *.domain. All others are blocked.",
        ),
        "connect": Field(
            list_of(PEER),
            "host:port that Python tests may connect to by other means than the clients of this plugin.",
        ),
        "programs": Field(list_of(LINE), "Names of programs that Python tests may start, such as psql."),
        "budget": Field(_BUDGET.type, "How much traffic a run may cause."),
        "policy": Field(POLICY, "How evidence becomes a verdict."),
        "notify": Field(Type(_read_notify, {"type": "object"}), "Who is told when the verdict changes, by name."),
        "alerts": Field(Type(_read_alerts, {"type": "object"}), "When scheduled runs tell them of an outage."),
        "heartbeat": Field(
            Type(_read_heartbeat, {"type": "string", "pattern": r"^(https?://|\$\{)"}),
            "A URL that is asked for after each scheduled run, so that somebody notices when runs end.",
        ),
    }
)
"""All keys; ``extends`` is gone when an entry is resolved."""
