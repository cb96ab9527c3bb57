"""Events of the YAML parser become a tree of nodes; what YAML can do and we refuse is reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from postdeploy.config.node import UNKNOWN, Mark, Node, Place
from postdeploy.config.report import Report
from postdeploy.config.scalars import resolve

__all__ = ["DEPTH", "parse"]

DEPTH: Final = 20
_TOO_DEEP: Final = f"nested more than {DEPTH} levels deep"
_ENOUGH: Final = 100
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_START: Final = (1, 1)


class _Stop(Exception):  # noqa: N818 - a jump out of the recursion, not an error
    """Nothing after this can be understood, or enough is wrong already."""


def parse(text: str, report: Report) -> Node | None:
    """The one document of a text, or None after the reason was reported."""
    loader = _Loader(text)
    builder = _Builder(loader.get_event, report)
    try:
        return builder.document()
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        _syntax(error, text, report)
        return None
    finally:
        loader.dispose()


def _syntax(error: yaml.MarkedYAMLError, text: str, report: Report) -> None:
    mark = error.problem_mark or error.context_mark
    at = (mark.line + 1, mark.column + 1) if mark else _START
    lines = text.splitlines()
    line = lines[at[0] - 1] if at[0] <= len(lines) else ""
    if line.lstrip(" ").startswith("\t"):
        report.add((at[0], line.index("\t") + 1), "a tab indents this line", "use spaces")
        return
    if error.problem and "nesting depth" in error.problem:  # libyaml looks ahead further than we go
        report.add(at, _TOO_DEEP, "flatten it")
        return
    context = f"{error.context}: " if error.context else ""
    report.add(at, f"not YAML: {context}{error.problem}", _quote(line))


def _quote(line: str) -> str | None:
    return "put a text that holds '{{' or begins with '{', '[', '@', '`' or '%' in quotes" if "{{" in line else None


class _Builder:
    """Takes events one after the other."""

    def __init__(self, event: Callable[[], Any], report: Report) -> None:
        self._event = event
        self._report = report

    def document(self) -> Node | None:
        """The first document; any other is reported."""
        self._event()  # the stream starts
        if type(self._event()) is StreamEndEvent:
            self._report.add(_START, "the file holds only comments")
            return None
        first = self._event()
        root = self._node(first, first.start_mark, 0)
        self._event()  # the document ends
        following = self._event()
        if type(following) is DocumentStartEvent:
            self._refuse(following, "a second document starts here", "one file holds one document")
        return root

    def _refuse(self, event: Any, message: str, hint: str) -> None:
        self._report.add(_at(event), message, hint)
        if len(self._report.problems) >= _ENOUGH:
            raise _Stop

    def _node(self, event: Any, name: Mark, depth: int) -> Node:
        kind = type(event)
        if kind is ScalarEvent and event.anchor is None and event.tag is None:
            return _scalar(event, name)
        if kind is AliasEvent:
            self._refuse(event, f"alias '*{event.anchor}'", "aliases are not allowed: write the value out")
            return Node(UNKNOWN, "", event.start_mark, name)
        if event.anchor is not None:
            self._refuse(
                event, f"anchor '&{event.anchor}'", "anchors are not allowed: write the value where it is used"
            )
        if event.tag is not None:
            self._refuse(event, f"tag '{event.tag}'", "tags are not allowed: write the plain value")
        if kind is ScalarEvent:
            return _scalar(event, name)
        if depth >= DEPTH:
            self._refuse(event, _TOO_DEEP, "flatten it")
            raise _Stop
        return (
            self._mapping(event, name, depth + 1) if kind is MappingStartEvent else self._list(event, name, depth + 1)
        )

    def _mapping(self, start: Any, name: Mark, depth: int) -> Node:
        entries: dict[str, Node] = {}
        templated = False
        while type(event := self._event()) is not MappingEndEvent:
            key = self._key(event, depth)
            if key in entries:
                self._refuse(event, f"duplicate key '{key}'", f"first at line {entries[key].name.line + 1}")
            item = self._node(self._event(), event.start_mark, depth)
            entries.setdefault(key, item)
            templated = templated or item.templated or "${" in key
        return Node(entries, "", start.start_mark, name, templated)

    def _key(self, event: Any, depth: int) -> str:
        if type(event) is not ScalarEvent or event.anchor is not None or event.tag is not None:
            self._node(event, event.start_mark, depth)
        if type(event) is not ScalarEvent:
            self._refuse(event, "a key must be a text", "put a text that begins with '{' or '[' in quotes")
            return f"\0{_at(event)}"
        if event.value == "<<" and event.implicit[0]:
            self._refuse(event, "merge key '<<'", "merge keys are not allowed: write the values out, or use 'extends'")
        return str(event.value)

    def _list(self, start: Any, name: Mark, depth: int) -> Node:
        items: list[Node] = []
        templated = False
        while type(event := self._event()) is not SequenceEndEvent:
            item = self._node(event, event.start_mark, depth)
            items.append(item)
            templated = templated or item.templated
        return Node(items, "", start.start_mark, name, templated)


def _scalar(event: Any, name: Mark) -> Node:
    text = event.value
    value = resolve(text) if event.implicit[0] else text
    return Node(value, text, event.start_mark, name, "${" in text)


def _at(event: Any) -> Place:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1
