"""Matchers as people write them, read for the sort of value that they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from postdeploy.config.node import UNKNOWN, Node, plain, seen
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.values import read_text
from postdeploy.config.wording import listed, nearest
from postdeploy.domain.matcher import WORDS, Matcher, MatcherError

__all__ = ["FLAG", "JSON", "NUMBER", "TEXT", "TEXTS", "Sort", "read_matcher"]

_ANYTHING: Final = Matcher("exists", True)
"""Stands in for a matcher that could not be read; the problem is reported, so it is never asked."""

_EVERY: Final = ("eq", "ne", "in", "exists", "type", "any", "all", "not")
_ORDER: Final = ("lt", "le", "gt", "ge")
_PATTERNS: Final = ("matches", "starts_with", "ends_with")


class Sort(NamedTuple):
    """What sort of value is matched: how it is called, how an equal one is read, and which words are about it."""

    noun: str
    read: Callable[[Node], Any]
    words: frozenset[str]


def _text(node: Node) -> str:
    return read_text(node)


def _number(node: Node) -> Any:
    value = node.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and node.templated:
        return value
    hint = "write it without quotes" if node.text.isascii() and node.text.isdecimal() else None
    raise Wrong(f"takes a number, not {seen(node)}", hint)


def _flag(node: Node) -> Any:
    if isinstance(node.value, bool):
        return node.value
    raise Wrong(f"takes true or false, not {seen(node)}")


def _texts(node: Node) -> list[str]:
    if not isinstance(node.value, list):
        raise Wrong(f"takes a list of texts, not {seen(node)}", "write {contains: …} if one of them is meant")
    return [read_text(item) for item in node.value]


TEXT: Final = Sort("a text", _text, frozenset((*_EVERY, *_ORDER, *_PATTERNS, "contains", "length")))
NUMBER: Final = Sort("a number", _number, frozenset((*_EVERY, *_ORDER)))
FLAG: Final = Sort("true or false", _flag, frozenset(_EVERY))
TEXTS: Final = Sort("a list of texts", _texts, frozenset((*_EVERY, "contains", "length", "each")))
JSON: Final = Sort("a JSON value", plain, frozenset(WORDS))


def read_matcher(node: Node, sort: Sort, scope: Scope) -> Matcher:
    """The matcher; what is wrong inside of it is reported. Raises Wrong for a value that cannot be one."""
    entries = node.value
    if not isinstance(entries, dict):
        return Matcher("eq", sort.read(node))
    if not entries:
        raise Wrong("expects nothing: its mapping is empty", "write a value, or a matcher such as {exists: true}")
    parts = [_part(word, operand, sort, scope) for word, operand in entries.items()]
    return parts[0] if len(parts) == 1 else Matcher("all", tuple(parts))


def _part(word: str, operand: Node, sort: Sort, scope: Scope) -> Matcher:
    if word not in sort.words:
        _unknown(word, operand, sort, scope)
    elif operand.value is not UNKNOWN:
        try:
            return Matcher.of({word: _READ[word](operand, sort, scope)})
        except MatcherError as error:
            scope.report.add(operand.at, str(error))
        except (RecursionError, OverflowError):
            scope.report.add(operand.at, f"'{word}' takes a simpler regular expression than this one")
        except Wrong as wrong:
            scope.report.wrong(f"'{word}'", operand, wrong)
    return _ANYTHING


def _unknown(word: str, operand: Node, sort: Sort, scope: Scope) -> None:
    if scope.report.full:
        return
    known = [each for each in WORDS if each in sort.words]
    if word in WORDS:
        scope.report.add(operand.key, f"'{word}' is not about {sort.noun}", f"use {listed(known)}")
        return
    close = nearest(word, known)
    hint = f"did you mean '{close}'?" if close else f"known: {', '.join(known)}"
    extra = "; for an equal mapping write {eq: {…}}" if sort is JSON else ""
    scope.report.add(operand.key, f"unknown matcher '{word}'", hint + extra)


def _equal(node: Node, sort: Sort, _scope: Scope) -> Any:
    return sort.read(node)


def _as_is(node: Node, _sort: Sort, _scope: Scope) -> Any:
    return plain(node)


def _bound(node: Node, sort: Sort, _scope: Scope) -> Any:
    if sort is TEXT and not isinstance(node.value, str):
        raise Wrong(f"orders texts here, not {seen(node)}", "put it in quotes, or use 'matches'")
    return sort.read(node)


def _options(node: Node, sort: Sort, _scope: Scope) -> Any:
    if not isinstance(node.value, list):
        return plain(node)
    return [sort.read(item) for item in node.value]


def _member(node: Node, sort: Sort, scope: Scope) -> Any:
    element = TEXT if sort is TEXTS else sort
    if isinstance(node.value, dict):
        if sort is TEXT:
            raise Wrong(f"takes a text, not {seen(node)}")
        return read_matcher(node, element, scope)
    return element.read(node)


def _operand_text(node: Node, _sort: Sort, _scope: Scope) -> Any:
    return read_text(node)


def _length(node: Node, _sort: Sort, scope: Scope) -> Any:
    return read_matcher(node, NUMBER, scope)


def _each(node: Node, sort: Sort, scope: Scope) -> Any:
    return read_matcher(node, TEXT if sort is TEXTS else sort, scope)


def _several(node: Node, sort: Sort, scope: Scope) -> Any:
    if not isinstance(node.value, list):
        return plain(node)
    return [read_matcher(item, sort, scope) for item in node.value]


def _negated(node: Node, sort: Sort, scope: Scope) -> Any:
    return read_matcher(node, sort, scope)


_READ: Final[dict[str, Callable[[Node, Sort, Scope], Any]]] = {
    **dict.fromkeys(("eq", "ne"), _equal),
    **dict.fromkeys(_ORDER, _bound),
    **dict.fromkeys(_PATTERNS, _operand_text),
    **dict.fromkeys(("exists", "type"), _as_is),
    **dict.fromkeys(("any", "all"), _several),
    "in": _options,
    "contains": _member,
    "length": _length,
    "each": _each,
    "not": _negated,
}
