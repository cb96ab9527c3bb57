from __future__ import annotations

from collections.abc import Callable

import pytest

from postdeploy.config.selection import JsonPath
from postdeploy.domain.check import (
    Check,
    DnsProbe,
    HttpProbe,
    PageProbe,
    Probe,
    Save,
    TcpProbe,
    TlsProbe,
    WebsocketProbe,
)
from postdeploy.domain.target import Location

Checks = Callable[[str], tuple[Check, ...]]
Problems = Callable[[str], list[str]]

ROOT = Location("web", "/")


def suite(*lines: str) -> str:
    """A suite with one check whose lines begin in line 3, column 5."""
    return "checks:\n  - name: c\n" + "".join(f"    {line}\n" for line in lines)


PROBES: list[tuple[list[str], Probe]] = [
    (["get: web:/"], HttpProbe("GET", ROOT)),
    (["head: web:/"], HttpProbe("HEAD", ROOT)),
    (["put: web:/", "body: 1.10"], HttpProbe("PUT", ROOT, body="1.10")),
    (["patch: web:/", "json: ~"], HttpProbe("PATCH", ROOT, json=None, has_json=True)),
    (["post: web:/", "json: {a: [1, NO, 1.5]}"], HttpProbe("POST", ROOT, json={"a": [1, "NO", 1.5]}, has_json=True)),
    (["delete: web:/a?b=c", "follow: true"], HttpProbe("DELETE", Location("web", "/a?b=c"), follow=True)),
    (["get: web:/대화"], HttpProbe("GET", Location("web", "/%EB%8C%80%ED%99%94"))),
    (["get: web:/", "headers: {X-A: 1.10, b: true}"], HttpProbe("GET", ROOT, headers={"X-A": "1.10", "b": "true"})),
    (["get: web:/", "auth: bearer abc"], HttpProbe("GET", ROOT, auth="Bearer abc")),
    (["get: web:/", "auth: basic user:pass"], HttpProbe("GET", ROOT, auth="Basic dXNlcjpwYXNz")),
    (["get: web:/", "auth: Token abc"], HttpProbe("GET", ROOT, auth="Token abc")),
    (
        ["get: web:/", "auth: 'basic user:${secrets.api_token}'"],
        HttpProbe("GET", ROOT, auth="basic user:${secrets.api_token}"),
    ),
    (["tls: web"], TlsProbe("web")),
    (["dns: web"], DnsProbe("web")),
    (["tcp: web"], TcpProbe("web")),
    (["tcp: web:5432"], TcpProbe("web", 5432)),
    (["page: web:/"], PageProbe(ROOT)),
    (["websocket: web:/"], WebsocketProbe(ROOT)),
    (
        ["websocket: web:/", "send: [hi, {a: 1}, 5, ~, [b]]", "receive: 3", "headers: {a: b}", "auth: bearer x"],
        WebsocketProbe(ROOT, ("hi", '{"a": 1}', "5", "null", '["b"]'), 3, {"a": "b"}, "Bearer x"),
    ),
    (["websocket: web:/", "send: {type: 안녕}"], WebsocketProbe(ROOT, ('{"type": "안녕"}',))),
]


@pytest.mark.parametrize(("lines", "probe"), PROBES)
def test_probes(checks: Checks, lines: list[str], probe: Probe) -> None:
    """Every kind of step becomes its probe, as it is written."""
    (step,) = checks(suite(*lines, "expect: {within: 1s}"))[0].steps
    assert step.probe == probe


def test_what_a_step_saves(checks: Checks) -> None:
    """A JSON path, a JSON path that is secret, or a header."""
    lines = ("get: web:/", "save: {id: $.data.id, token: {json: $.t, secret: true}, place: {header: Location}}")
    (step,) = checks(suite(*lines, "expect: {status: 200}"))[0].steps
    assert step.save == (
        Save("id", JsonPath("$.data.id")),
        Save("token", JsonPath("$.t"), secret=True),
        Save("place", None, "location"),
    )


MISTAKES: list[tuple[str, str]] = [
    ("get: wbe:/", "3:10: 'get' names the service 'wbe', which target 'staging' does not have (did you mean 'web'?)"),
    ("get: zzz:/", "3:10: 'get' names the service 'zzz', which target 'staging' does not have (known: web, api)"),
    ("get: web", "3:10: 'get' takes a place such as 'api:/healthz', not 'web' (did you mean 'web:/'?)"),
    ("get: web:/a b", "3:10: 'get' holds ' ' in its path (write %20)"),
    ("get: web:/a#b", "3:10: 'get' holds '#' in its path (write %23)"),
    ("get: 'web:/a\\b'", "3:10: 'get' holds '\\\\' in its path (write %5C)"),
    ("get: web:/a/%2e%2E/b", "3:10: 'get' holds '.' or '..' as a part of its path (write the path that is meant)"),
    ("get: web:/..", "3:10: 'get' holds '.' or '..' as a part of its path (write the path that is meant)"),
    ('get: "web:/\\u202e"', "3:10: 'get' holds the invisible character U+202E (remove it)"),
    ("get: [web:/]", "3:10: 'get' takes a text, not a list"),
    ("tls: web:/", "3:10: 'tls' takes the name of a service, not 'web:/' (did you mean 'web'?)"),
    ("dns: wbe", "3:10: 'dns' names the service 'wbe', which target 'staging' does not have (did you mean 'web'?)"),
    ("tcp: web:0", "3:10: 'tcp' takes a service, or service:port with a port from 1 to 65535, not 'web:0'"),
    ("tcp: web:70000", "3:10: 'tcp' takes a service, or service:port with a port from 1 to 65535, not 'web:70000'"),
    ("tcp: wbe", "3:10: 'tcp' names the service 'wbe', which target 'staging' does not have (did you mean 'web'?)"),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_mistakes_in_places(problems: Problems, line: str, message: str) -> None:
    """A place is a service of the target and a path that arrives as it is written."""
    assert problems(suite(line, "expect: {within: 1s}")) == [message]


KEYS: list[tuple[str, str]] = [
    ('headers: {a: "x\\ny"}', "4:18: 'a' holds a line break (a header is one line)"),
    ("headers: {a b: c}", "4:15: 'a b' is no name of a header (letters, digits and '-')"),
    ("headers: {a: ~}", "4:18: 'a' takes a text, not nothing"),
    ('auth: "bearer x\\ny"', "4:11: 'auth' holds the invisible character U+000A (remove it)"),
    ("follow: yes", "4:13: 'follow' takes true or false, not 'yes'"),
    ("body: {a: b}", "4:11: 'body' takes a text, not a mapping"),
    (
        "timeout: soon",
        "4:14: 'timeout' takes a duration, not 'soon' (write it like 500ms, 3s, 5m, 1h or a number of seconds)",
    ),
    (
        "timeout: true",
        "4:14: 'timeout' takes a duration, not 'true' (write it like 500ms, 3s, 5m, 1h or a number of seconds)",
    ),
    ("save: id", "4:11: 'save' takes a mapping, not 'id'"),
    ("save: {Id: $.a}", "4:12: 'Id' is no name of a variable (begin with a letter; use a to z, 0 to 9 and _)"),
    (
        "save: {release: $.a}",
        "4:12: 'release' cannot be the name of a variable (the word is taken; choose another one)",
    ),
    ("save: {a: $..b}", "4:15: 'a' takes a JSON path that picks one value, not '$..b'"),
    ("save: {a: b}", "4:15: 'a' is no JSON path: expected '$', found 'b' (did you mean '$.b'?)"),
    (
        "save: {a: {secret: true}}",
        "4:15: 'a' takes either 'json' or 'header' (write {json: $.data.id} or {header: location})",
    ),
    ("json: 1\n    body: x", "5:5: both 'json' and 'body' (a request has one body)"),
]


@pytest.mark.parametrize(("line", "message"), KEYS)
def test_mistakes_in_what_is_sent(problems: Problems, line: str, message: str) -> None:
    """Each is told once, at its place."""
    assert problems(suite("post: web:/", line, "expect: {status: 200}")) == [message]


def test_credentials_are_never_shown(problems: Problems) -> None:
    """A message about credentials quotes nothing."""
    found = problems(suite("post: web:/", 'auth: "basic hunter2:\\u202ehunter2"', "expect: {status: 200}"))
    assert found == ["4:11: 'auth' holds the invisible character U+202E (remove it)"]
