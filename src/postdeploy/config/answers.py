"""Parts of an answer: the names of headers and JSON paths."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from postdeploy.config.node import Node, seen
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.selection import JsonPath, JsonPathError
from postdeploy.config.shape import Type
from postdeploy.config.values import read_line

__all__ = ["HEADER_NAME", "HEADER_PATTERN", "JSON_PATH", "compile_path", "header_name"]

HEADER_PATTERN: Final = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def header_name(text: str) -> str:
    """The name of a header, lower case. Raises Wrong."""
    if not _HEADER.fullmatch(text):
        raise Wrong("is no name of a header", "letters, digits and '-'")
    return text.lower()


@lru_cache(maxsize=256)
def compile_path(text: str) -> JsonPath:
    """A compiled JSON path, of which many checks have the same. Raises Wrong."""
    try:
        return JsonPath(text)
    except JsonPathError as error:
        hint = None if text.startswith("$") else f"did you mean '$.{text}'?"
        raise Wrong(f"is no JSON path: {error}", hint) from error


def _read_header_name(node: Node, _scope: Scope) -> str:
    return header_name(read_line(node))


def _read_json_path(node: Node, _scope: Scope) -> JsonPath:
    text = read_line(node)
    if text != node.text:
        raise Wrong(f"takes a JSON path, not {seen(node)}", "variables are not for paths")
    path = compile_path(text)
    if not path.singular:
        raise Wrong(f"takes a JSON path that picks one value, not {seen(node)}")
    return path


HEADER_NAME: Final = Type(_read_header_name, {"type": "string", "pattern": HEADER_PATTERN})
JSON_PATH: Final = Type(_read_json_path, {"type": "string", "pattern": r"^\$"})
