"""What stands under ``expect``: for each kind of probe, its words and how each is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from postdeploy.config.answers import HEADER_PATTERN, compile_path, header_name
from postdeploy.config.matchers import FLAG, JSON, NUMBER, TEXT, TEXTS, Sort, read_matcher
from postdeploy.config.node import UNKNOWN, Node, seen
from postdeploy.config.page_expectations import CONSOLE, HIDDEN, PAGE_TEXT, REQUESTS, VISIBLE
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, Type, table
from postdeploy.config.values import DURATION, read_duration
from postdeploy.domain.expectation import Expectation
from postdeploy.domain.matcher import Matcher

__all__ = ["EXPECT", "read_expect"]


def _subject(name: str, sort: Sort, definition: str) -> Type:
    """A word of one value that is matched."""

    def read(node: Node, scope: Scope) -> tuple[Expectation, ...]:
        line, column = node.key
        return (Expectation(name, read_matcher(node, sort, scope), line=line, column=column),)

    return Type(read, {"$ref": f"#/definitions/{definition}"})


def _read_within(node: Node, scope: Scope) -> tuple[Expectation, ...]:
    line, column = node.key
    return (Expectation("within", Matcher("le", read_duration(node, scope)), line=line, column=column),)


def _read_json(node: Node, scope: Scope) -> tuple[Expectation, ...]:
    if not isinstance(node.value, dict) or not node.value:
        raise Wrong(f"takes a mapping of JSON paths, not {seen(node)}", "write it like {$.status: ok}")
    found = []
    for text, item in node.value.items():
        try:
            line, column = item.key
            path, matcher = compile_path(text), _matcher(item, JSON, scope)
            found.append(Expectation("json", matcher, selector=path, line=line, column=column))
        except Wrong as wrong:
            scope.report.add(item.key, f"'{text}' {wrong.message}", wrong.hint)
    return tuple(found)


def _read_header(node: Node, scope: Scope) -> tuple[Expectation, ...]:
    if not table(node):
        raise Wrong("names no header", "write it like {content-type: {contains: json}}")
    found = []
    for name, item in node.value.items():
        try:
            line, column = item.key
            key, matcher = header_name(name), _matcher(item, TEXT, scope)
            found.append(Expectation("header", matcher, argument=key, line=line, column=column))
        except Wrong as wrong:
            scope.report.add(item.key, f"'{name}' {wrong.message}", wrong.hint)
    return tuple(found)


def _matcher(item: Node, sort: Sort, scope: Scope) -> Matcher:
    return Matcher("exists", True) if item.value is UNKNOWN else read_matcher(item, sort, scope)


def _text(name: str) -> Type:
    return _subject(name, TEXT, "text")


def _number(name: str) -> Type:
    return _subject(name, NUMBER, "number")


def _flag(name: str) -> Type:
    return _subject(name, FLAG, "flag")


def _texts(name: str) -> Type:
    return _subject(name, TEXTS, "texts")


_WITHIN: Final = Field(Type(_read_within, DURATION.schema), "The longest time that it may take: 500ms, 3s.")
_JSON: Final = Type(
    _read_json,
    {
        "type": "object",
        "additionalProperties": {"$ref": "#/definitions/json"},
        "propertyNames": {"pattern": r"^\$"},
        "minProperties": 1,
    },
)
_HEADER: Final = Type(
    _read_header,
    {
        "type": "object",
        "additionalProperties": {"$ref": "#/definitions/text"},
        "propertyNames": {"pattern": HEADER_PATTERN},
        "minProperties": 1,
    },
)

EXPECT: Final[Mapping[str, Shape]] = {
    "http": Shape(
        {
            "status": Field(_number("status"), "The status code: 200, or {in: [200, 204]}."),
            "json": Field(_JSON, "Values of the JSON body by path: {$.status: ok}."),
            "body": Field(_text("body"), "The body as text."),
            "header": Field(_HEADER, "Response headers by name: {cache-control: {contains: no-store}}."),
            "within": _WITHIN,
            "url": Field(_text("url"), "The URL that answered, after redirects."),
            "redirects": Field(_number("redirects"), "How many redirects were followed."),
            "http_version": Field(_text("http_version"), "The version of HTTP, such as 1.1 or 2."),
        }
    ),
    "tls": Shape(
        {
            "days_left": Field(_number("days_left"), "Days until the certificate expires: {ge: 21}."),
            "trusted": Field(_flag("trusted"), "Whether chain, dates and host name of the certificate hold."),
            "version": Field(_text("version"), "The version of TLS, such as TLSv1.3."),
            "cipher": Field(_text("cipher"), "The cipher suite."),
            "issuer": Field(_text("issuer"), "Who issued the certificate."),
            "subject_name": Field(_text("subject_name"), "For whom the certificate was issued."),
            "names": Field(_texts("names"), "The host names that the certificate covers: {contains: example.com}."),
            "within": _WITHIN,
        }
    ),
    "dns": Shape(
        {
            "addresses": Field(_texts("addresses"), "The addresses that the host name has: {length: {ge: 1}}."),
            "within": _WITHIN,
        }
    ),
    "tcp": Shape(
        {
            "connected": Field(_flag("connected"), "Whether the connection was made."),
            "banner": Field(_text("banner"), "The first text that the other side sends by itself."),
            "within": _WITHIN,
        }
    ),
    "websocket": Shape(
        {
            "connected": Field(_flag("connected"), "Whether the session was opened."),
            "json": Field(_JSON, "Values of the last message by JSON path: {$.type: ready}."),
            "message": Field(_text("message"), "The last message as text."),
            "messages": Field(_texts("messages"), "All messages: {length: {ge: 1}}."),
            "within": _WITHIN,
        }
    ),
    "page": Shape(
        {
            "status": Field(_number("status"), "The status code of the document."),
            "title": Field(_text("title"), "The title of the page."),
            "url": Field(_text("url"), "The URL after all redirects."),
            "visible": Field(VISIBLE, "Selectors of elements that must be seen."),
            "hidden": Field(HIDDEN, "Selectors of elements that must not be seen."),
            "text": Field(PAGE_TEXT, "The text of the page, or of elements by selector: {h1: Welcome}."),
            "console": Field(
                CONSOLE, "clean (the default): no errors; {allow: [pattern]}: none but these; any: not judged."
            ),
            "requests": Field(
                REQUESTS, "clean (the default): none failed; {allow: [pattern]}: none but these; any: not judged."
            ),
            "within": _WITHIN,
        }
    ),
}


def read_expect(kind: str) -> Type:
    """The type of ``expect`` for one kind of probe: all expectations, in order."""
    shape = EXPECT[kind]

    def read(node: Node, scope: Scope) -> tuple[Expectation, ...]:
        if table(node) == {}:
            raise Wrong("expects nothing", f"known: {', '.join(shape.fields)}")
        found: dict[str, Any] = shape.read(node, scope)
        return tuple(expectation for group in found.values() for expectation in group)

    return Type(read, {"$ref": f"#/definitions/expect_{kind}"})
