"""What a mapping may hold: one table that reads it, reports everything that is wrong, and gives its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from postdeploy.config.node import UNKNOWN, Node, seen
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.wording import nearest, way_out

__all__ = [
    "UNREAD",
    "Field",
    "Reader",
    "Schema",
    "Shape",
    "Type",
    "list_of",
    "mapping_of",
    "one_or_list",
    "read_entry",
    "table",
]

_TRIED: Final = 50

Schema = Mapping[str, Any]
Reader = Callable[[Node, Scope], Any]


class Type(NamedTuple):
    """How a value is read (Wrong is raised for one that cannot be used), and the JSON Schema that describes it."""

    read: Reader
    schema: Schema


class Field(NamedTuple):
    """A key of a mapping; ``about`` is what editors show for it."""

    type: Type
    about: str
    required: bool = False


def _read_nothing(_node: Node, _scope: Scope) -> None:
    """What is read elsewhere is not read here."""


UNREAD: Final = Field(Type(_read_nothing, {}), "")
"""A key that may be there and whose value is not looked at."""


class Shape:
    """The keys that a mapping may hold; ``foreign`` says of keys that belong elsewhere why they are wrong here."""

    def __init__(self, fields: Mapping[str, Field], foreign: Mapping[str, str] | None = None) -> None:
        self.fields = fields
        self.foreign = foreign or {}
        self.required = tuple(key for key, field in fields.items() if field.required)

    def read(self, node: Node, scope: Scope) -> dict[str, Any]:
        """The values that could be read, by key; what is wrong is reported. Raises Wrong for anything but a mapping."""
        entries = table(node)
        found: dict[str, Any] = {}
        for key, item in entries.items():
            field = self.fields.get(key)
            if field is None:
                self._refuse(key, item, scope)
            else:
                read_entry(found, key, field.type.read, item, scope)
        unknown = [key for key in entries if key not in self.fields]
        for key in self.required:
            if key not in entries and not (unknown and nearest(key, unknown[:_TRIED])):
                scope.report.add(node.key, f"'{key}' is missing", f"add '{key}:'")
        return found

    def _refuse(self, key: str, item: Node, scope: Scope) -> None:
        if scope.report.full:
            return
        if key in self.foreign:
            scope.report.add(item.key, self.foreign[key], f"known: {', '.join(self.fields)}")
        else:
            scope.report.add(item.key, f"unknown key '{key}'", way_out(key, self.fields))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of such a mapping."""
        schema: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                key: {**field.type.schema, "description": field.about} for key, field in self.fields.items()
            },
        }
        return schema | ({"required": list(self.required)} if self.required else {})

    @property
    def type(self) -> Type:
        """As a type of a field."""
        return Type(self.read, self.schema)


def read_entry(
    found: dict[str, Any], key: str, read: Reader, item: Node, scope: Scope, subject: str | None = None
) -> None:
    """Read one value of a mapping into ``found``, or report why not; ``subject`` is how messages call it."""
    if item.value is UNKNOWN or scope.report.full:
        return
    try:
        found[key] = read(item, scope)
    except Wrong as wrong:
        scope.report.wrong(subject or f"'{key}'", item, wrong)


def table(node: Node) -> dict[str, Node]:
    """The entries of a mapping. Raises Wrong for anything else."""
    if not isinstance(node.value, dict):
        raise Wrong(f"takes a mapping, not {seen(node)}")
    return node.value


def list_of(item: Type) -> Type:
    """A list with at least one value of one type."""

    def read(node: Node, scope: Scope) -> tuple[Any, ...]:
        if not isinstance(node.value, list) or not node.value:
            raise Wrong(f"takes a list with at least one item, not {seen(node)}")
        found: dict[str, Any] = {}
        for index, each in enumerate(node.value):
            read_entry(found, str(index), item.read, each, scope, "each item here")
        return tuple(found.values())

    return Type(read, {"type": "array", "items": item.schema, "minItems": 1})


def one_or_list(item: Type) -> Type:
    """A value, or a list of such values."""
    many = list_of(item)

    def read(node: Node, scope: Scope) -> tuple[Any, ...]:
        if isinstance(node.value, list):
            return many.read(node, scope)  # type: ignore[no-any-return]  # list_of reads tuples
        return (item.read(node, scope),)

    return Type(read, {"anyOf": [item.schema, many.schema]})


def mapping_of(item: Type, check_key: Callable[[str], None], pattern: str | None = None) -> Type:
    """A mapping of names to values of one type; ``check_key`` raises Wrong for a name that cannot be."""

    def read(node: Node, scope: Scope) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, each in table(node).items():
            try:
                check_key(key)
            except Wrong as wrong:
                scope.report.add(each.key, f"'{key}' {wrong.message}", wrong.hint)
            read_entry(found, key, item.read, each, scope)
        return found

    names = {"propertyNames": {"pattern": pattern}} if pattern else {}
    return Type(read, {"type": "object", "additionalProperties": item.schema, **names})
