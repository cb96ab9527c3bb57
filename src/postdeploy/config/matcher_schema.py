"""The JSON Schema of matchers, one definition for each sort of value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from postdeploy.config.matchers import FLAG, JSON, NUMBER, TEXT, TEXTS, Sort
from postdeploy.config.values import TEXT as TEXT_VALUE
from postdeploy.domain.matcher import TYPES, WORDS

__all__ = ["matcher_definitions"]

_ABOUT: Final[Mapping[str, str]] = {
    "eq": "Equal to this.",
    "ne": "Not equal to this.",
    "lt": "Less than this.",
    "le": "At most this.",
    "gt": "More than this.",
    "ge": "At least this.",
    "in": "Equal to one of these.",
    "contains": "A text with this in it, a list with this item (or one that matches this), a mapping with this key.",
    "matches": "A text in which this regular expression finds something.",
    "starts_with": "A text that begins with this.",
    "ends_with": "A text that ends with this.",
    "exists": "Whether there is a value at all; null is one.",
    "type": "Of this JSON type.",
    "length": "Its length is this, or matches this.",
    "each": "Every item of the list matches this.",
    "any": "At least one of these matches.",
    "all": "All of these match.",
    "not": "This does not match.",
}
_SORTS: Final[Mapping[str, Sort]] = {"json": JSON, "text": TEXT, "number": NUMBER, "flag": FLAG, "texts": TEXTS}
_EQUAL: Final[Mapping[str, Mapping[str, Any]]] = {
    "json": {"type": ["string", "number", "boolean", "null", "array"]},
    "text": TEXT_VALUE.schema,
    "number": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"\$\{"}]},
    "flag": {"type": "boolean"},
    "texts": {"type": "array", "items": TEXT_VALUE.schema},
}
_BOUND: Final[Mapping[str, Mapping[str, Any]]] = {
    "json": {"type": ["number", "string"]},
    "text": {"type": "string"},
    "number": _EQUAL["number"],
}
_ELEMENT: Final[Mapping[str, str]] = {"texts": "text"}


def matcher_definitions() -> dict[str, Any]:
    """A definition for each sort of value: a plain value, or a mapping of words."""
    return {name: _matcher(name, sort) for name, sort in _SORTS.items()}


def _matcher(name: str, sort: Sort) -> dict[str, Any]:
    words = {word: _word(name, word) | {"description": _ABOUT[word]} for word in WORDS if word in sort.words}
    mapping = {"type": "object", "properties": words, "additionalProperties": False, "minProperties": 1}
    return {"anyOf": [_EQUAL[name], mapping]}


def _word(name: str, word: str) -> dict[str, Any]:
    own = {"$ref": f"#/definitions/{name}"}
    item = {"$ref": f"#/definitions/{_ELEMENT.get(name, name)}"}
    equal: Mapping[str, Any] = {} if name == "json" else _EQUAL[name]
    schemas: dict[str, Mapping[str, Any]] = {
        **dict.fromkeys(("eq", "ne"), equal),
        **dict.fromkeys(("lt", "le", "gt", "ge"), _BOUND.get(name, {})),
        **{key: {**TEXT_VALUE.schema, "minLength": 1} for key in ("matches", "starts_with", "ends_with")},
        "any": {"type": "array", "items": own, "minItems": 1},
        "all": {"type": "array", "items": own, "minItems": 1},
        "in": {"type": "array", "items": equal, "minItems": 1},
        "contains": _EQUAL["text"] if name == "text" else item,
        "exists": {"type": "boolean"},
        "type": {"enum": list(TYPES)},
        "length": {"$ref": "#/definitions/number"},
        "each": item,
        "not": own,
    }
    return dict(schemas[word])
