"""``save``: values of an answer that later steps use."""

from __future__ import annotations

from typing import Final

from postdeploy.config.answers import HEADER_NAME, JSON_PATH
from postdeploy.config.node import Node
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, Type, mapping_of
from postdeploy.config.values import FLAG, NAME_PATTERN, name_check
from postdeploy.domain.check import Save

__all__ = ["SAVES"]

_TAKEN: Final = frozenset({"release", "target", "unique", "run", "secrets"})

_SAVE: Final = Shape(
    {
        "json": Field(JSON_PATH, "Where in the JSON body it stands: $.data.token."),
        "header": Field(HEADER_NAME, "The response header that holds it."),
        "secret": Field(FLAG, "Whether it is masked everywhere. Default: false."),
    }
)


def _read_save(node: Node, scope: Scope) -> Save:
    if not isinstance(node.value, dict):
        return Save("", JSON_PATH.read(node, scope))
    if ("json" in node.value) == ("header" in node.value):
        raise Wrong("takes either 'json' or 'header'", "write {json: $.data.id} or {header: location}")
    found = _SAVE.read(node, scope)
    return Save("", found.get("json"), found.get("header"), found.get("secret", False))


_SAVES: Final = mapping_of(
    Type(_read_save, {"anyOf": [JSON_PATH.schema, _SAVE.schema]}), name_check("variable", _TAKEN), NAME_PATTERN
)


def _read_saves(node: Node, scope: Scope) -> tuple[Save, ...]:
    saves = _SAVES.read(node, scope)
    return tuple(Save(name, save.selector, save.header, save.secret) for name, save in saves.items())


SAVES: Final = Type(_read_saves, _SAVES.schema)
