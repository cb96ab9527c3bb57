"""The shapes of a step: one probe, what is expected of it, and what is kept of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from postdeploy.config.answers import HEADER_PATTERN, header_name
from postdeploy.config.expectations import read_expect
from postdeploy.config.node import Node, plain, seen
from postdeploy.config.places import LOCATION, SERVICE, know_service
from postdeploy.config.report import Wrong
from postdeploy.config.saves import SAVES
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Type, mapping_of
from postdeploy.config.values import DURATION, FLAG, TEXT, count, read_line, read_text
from postdeploy.domain.check import (
    DnsProbe,
    HttpProbe,
    PageProbe,
    Probe,
    TcpProbe,
    TlsProbe,
    WebsocketProbe,
    authorization,
)
from postdeploy.domain.expectation import Expectation

__all__ = ["METHODS", "STEP_FIELDS", "VERBS", "probe_of"]

METHODS: Final = ("get", "post", "put", "patch", "delete", "head")
VERBS: Final[Mapping[str, str]] = {
    **dict.fromkeys(METHODS, "http"),
    "tls": "tls",
    "dns": "dns",
    "tcp": "tcp",
    "page": "page",
    "websocket": "websocket",
}
"""What a step does, and the kind of probe that does it."""

_TCP: Final = r"([a-z][a-z0-9_]*)(?::([1-9][0-9]{0,4}))?"
_PORTS: Final = 65535


def _read_header_value(node: Node, _scope: Scope) -> str:
    text = read_text(node)
    if any(character in text for character in "\r\n\0"):
        raise Wrong("holds a line break", "a header is one line")
    return text


def _read_auth(node: Node, _scope: Scope) -> str:
    text = read_line(node)
    deferred = node.templated and text.lower().startswith("basic ")  # the password is not known yet
    return text if deferred else authorization(text)


def _read_any(node: Node, _scope: Scope) -> Any:
    return plain(node)


def _read_messages(node: Node, _scope: Scope) -> tuple[str, ...]:
    return tuple(map(_message, node.value)) if isinstance(node.value, list) else (_message(node),)


def _message(node: Node) -> str:
    if isinstance(node.value, dict | list) or node.value is None:
        return json.dumps(plain(node), ensure_ascii=False)
    return node.text


def _read_tcp(node: Node, scope: Scope) -> TcpProbe:
    match = re.fullmatch(_TCP, read_text(node))
    if match is None or int(match[2] or 1) > _PORTS:
        raise Wrong(f"takes a service, or service:port with a port from 1 to {_PORTS}, not {seen(node)}")
    know_service(match[1], node, scope)
    return TcpProbe(match[1], int(match[2]) if match[2] else None)


def _check_header(name: str) -> None:
    header_name(name)


_HEADERS: Final = Field(
    mapping_of(Type(_read_header_value, TEXT.schema), _check_header, HEADER_PATTERN), "Request headers by name."
)
_AUTH: Final = Field(
    Type(_read_auth, TEXT.schema),
    "Credentials: 'bearer ${secrets.token}', 'basic user:${secrets.password}', or the whole header value.",
)
_TIMEOUT: Final = Field(DURATION, "How long it may take before it counts as failed. Default: 10s.")
_JSON_VALUE: Final[Mapping[str, Any]] = {"type": ["object", "array", "string", "number", "boolean", "null"]}

_ABOUT_METHOD: Final = "Send a {} request to service:/path."
_HTTP: Final[Mapping[str, Field]] = {
    **{method: Field(LOCATION, _ABOUT_METHOD.format(method.upper())) for method in METHODS},
    "headers": _HEADERS,
    "auth": _AUTH,
    "json": Field(Type(_read_any, _JSON_VALUE), "The body, sent as JSON."),
    "body": Field(TEXT, "The body, sent as it is."),
    "follow": Field(FLAG, "Whether redirects are followed. Default: false."),
    "save": Field(
        SAVES,
        "Values of the answer that later steps use as ${name}: {id: $.data.id}.",
    ),
    "expect": Field(read_expect("http"), "What must hold for the answer."),
    "timeout": _TIMEOUT,
}


def _short(verb: str, subject: Type, about: str) -> dict[str, Field]:
    return {
        verb: Field(subject, about),
        "expect": Field(read_expect(verb), "What must hold for what was seen."),
        "timeout": _TIMEOUT,
    }


STEP_FIELDS: Final[Mapping[str, Mapping[str, Field]]] = {
    "http": _HTTP,
    "tls": _short("tls", SERVICE, "Make a TLS handshake with a service and look at its certificate."),
    "dns": _short("dns", SERVICE, "Look up the host name of a service."),
    "tcp": _short(
        "tcp",
        Type(_read_tcp, {"type": "string", "pattern": "^[a-z][a-z0-9_]*(:[1-9][0-9]{0,4})?$"}),
        "Connect to the host of a service, on its own port or another one: service:port.",
    ),
    "page": _short("page", LOCATION, "Open service:/path in a browser."),
    "websocket": _short("websocket", LOCATION, "Open a WebSocket session at service:/path.")
    | {
        "send": Field(Type(_read_messages, _JSON_VALUE), "A message, or a list of them; JSON values are sent as text."),
        "receive": Field(count(0, 1000), "How many messages to wait for. Default: 1."),
        "headers": _HEADERS,
        "auth": _AUTH,
    },
}
"""The keys of a step by kind of probe."""


def probe_of(verb: str, found: Mapping[str, Any], expectations: tuple[Expectation, ...]) -> Probe:
    """The probe of a step whose keys are read."""
    return _PROBES[VERBS[verb]](verb, found, expectations)


def _http(verb: str, found: Mapping[str, Any], _expectations: tuple[Expectation, ...]) -> Probe:
    return HttpProbe(
        verb.upper(),
        found[verb],
        found.get("headers", {}),
        found.get("json"),
        "json" in found,
        found.get("body"),
        found.get("auth"),
        found.get("follow", False),
    )


def _websocket(verb: str, found: Mapping[str, Any], _expectations: tuple[Expectation, ...]) -> Probe:
    return WebsocketProbe(
        found[verb], found.get("send", ()), found.get("receive", 1), found.get("headers", {}), found.get("auth")
    )


def _tcp(verb: str, found: Mapping[str, Any], expectations: tuple[Expectation, ...]) -> Probe:
    probe: TcpProbe = found[verb]
    banner = any(expectation.subject == "banner" for expectation in expectations)
    return TcpProbe(probe.service, probe.port, banner)


def _page(verb: str, found: Mapping[str, Any], expectations: tuple[Expectation, ...]) -> Probe:
    named = [(each.subject, each.argument) for each in expectations if each.argument is not None]
    selectors = dict.fromkeys(argument for subject, argument in named if subject != "text")
    return PageProbe(found[verb], tuple(selectors), tuple(dict.fromkeys(arg for word, arg in named if word == "text")))


_PROBES: Final[Mapping[str, Callable[[str, Mapping[str, Any], tuple[Expectation, ...]], Probe]]] = {
    "http": _http,
    "websocket": _websocket,
    "tcp": _tcp,
    "page": _page,
    "tls": lambda verb, found, _expectations: TlsProbe(found[verb]),
    "dns": lambda verb, found, _expectations: DnsProbe(found[verb]),
}
