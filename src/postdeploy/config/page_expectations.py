"""What may be expected of a page only: elements, texts, the console and the requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from postdeploy.config.matchers import TEXT, read_matcher
from postdeploy.config.node import UNKNOWN, Node, seen
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, Type, list_of, one_or_list
from postdeploy.config.values import LINE, read_line
from postdeploy.config.wording import nearest
from postdeploy.domain.expectation import Expectation
from postdeploy.domain.matcher import WORDS, Matcher, MatcherError

__all__ = ["CLEAN", "CONSOLE", "HIDDEN", "PAGE_TEXT", "REQUESTS", "VISIBLE"]

CLEAN: Final = Matcher.of({"length": {"eq": 0}})
"""Nothing in the console, or no failed request."""


def _read_selector(node: Node, _scope: Scope) -> Node:
    if node.templated:
        raise Wrong("holds '${', but selectors are not filled in", "use a selector that is always the same")
    read_line(node)
    return node


_SELECTORS: Final = one_or_list(Type(_read_selector, LINE.schema))


def _elements(name: str, seen_: bool) -> Type:
    def read(node: Node, scope: Scope) -> tuple[Expectation, ...]:
        return tuple(
            Expectation(name, Matcher("eq", seen_), argument=item.text, line=item.at[0], column=item.at[1])
            for item in _SELECTORS.read(node, scope)
        )

    return Type(read, _SELECTORS.schema)


def _read_text(node: Node, scope: Scope) -> tuple[Expectation, ...]:
    line, column = node.key
    if _about_the_page(node.value):
        return (Expectation("text", read_matcher(node, TEXT, scope), line=line, column=column),)
    found = []
    for selector, item in node.value.items():
        try:
            matcher = CLEAN if item.value is UNKNOWN else read_matcher(item, TEXT, scope)
            line, column = item.key
            found.append(Expectation("text", matcher, argument=selector, line=line, column=column))
        except Wrong as wrong:
            scope.report.wrong(f"'{selector}'", item, wrong)
    return tuple(found)


def _about_the_page(value: Any) -> bool:
    """A mapping whose first key is a matcher, or nearly one, is a matcher; any other maps selectors."""
    if not isinstance(value, Mapping) or not value:
        return True
    first = next(iter(value))
    return first in WORDS or nearest(first, WORDS, 0.8) is not None


def _read_pattern(node: Node, _scope: Scope) -> Matcher:
    try:
        return Matcher.of({"matches": read_line(node)})
    except (MatcherError, RecursionError, OverflowError) as error:
        raise Wrong(f"cannot be read: {error}") from error


_ALLOW: Final = Shape(
    {
        "allow": Field(
            list_of(Type(_read_pattern, {"type": "string"})),
            "Regular expressions; what one of them finds is no fault.",
            required=True,
        )
    }
)


def _log(name: str) -> Type:
    def read(node: Node, scope: Scope) -> tuple[Expectation, ...]:
        line, column = node.key
        if isinstance(node.value, dict):
            allowed = _ALLOW.read(node, scope).get("allow", ())
            matcher = Matcher("each", Matcher("any", allowed))
        elif node.value == "clean":
            matcher = CLEAN
        elif node.value == "any":
            return ()
        else:
            raise Wrong(f"takes clean, any or {{allow: [patterns]}}, not {seen(node)}")
        return (Expectation(name, matcher, line=line, column=column),)

    return Type(read, {"anyOf": [{"enum": ["clean", "any"]}, _ALLOW.schema]})


VISIBLE: Final = _elements("visible", seen_=True)
HIDDEN: Final = _elements("hidden", seen_=False)
CONSOLE: Final = _log("console")
REQUESTS: Final = _log("requests")
PAGE_TEXT: Final = Type(
    _read_text,
    {
        "anyOf": [
            {"$ref": "#/definitions/text"},
            {"type": "object", "additionalProperties": {"$ref": "#/definitions/text"}, "minProperties": 1},
        ]
    },
)
