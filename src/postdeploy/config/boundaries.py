"""What a run may not ask for, and which hosts beside its own a target lets it use."""

from __future__ import annotations

import re
from typing import Final

from postdeploy.config.node import Node, seen
from postdeploy.config.places import check_path, know_service
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Type
from postdeploy.config.values import read_line
from postdeploy.domain.target import DenyRule

__all__ = ["DENIED", "PEER", "THIRD_PARTY"]

_DENIED: Final = r"(?:([a-z][a-z0-9_]*):)?(/\S*)"
_LABEL: Final = "[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST: Final = rf"(?:{_LABEL}\.)*{_LABEL}|\[[0-9A-Fa-f:.]+\]"
_THIRD_PARTY: Final = rf"(?:\*\.)?(?:{_HOST})(?::([0-9]{{1,5}}))?"
_PEER: Final = rf"(?:{_HOST}):([0-9]{{1,5}})"
_PORTS: Final = 65535


def _read_denied(node: Node, scope: Scope) -> DenyRule:
    match = re.fullmatch(_DENIED, read_line(node))
    if match is None:
        raise Wrong(f"takes a path such as '/logout' or 'api:/admin/*', not {seen(node)}", "/path or service:/path")
    if match[1] is not None:
        know_service(match[1], node, scope)
    path, mark, query = match[2].partition("?")
    return DenyRule(check_path(path) + mark + query, match[1])


def _read_third_party(node: Node, _scope: Scope) -> str:
    return _read_host(node, _THIRD_PARTY, "a host such as 'cdn.example.com' or '*.example.com'")


def _read_peer(node: Node, _scope: Scope) -> str:
    return _read_host(node, _PEER, "a host and a port such as 'db.example.com:5432'")


def _read_host(node: Node, pattern: str, wanted: str) -> str:
    text = read_line(node)
    match = re.fullmatch(pattern, text)
    if match is None:
        hint = "without the scheme and the path" if "/" in text else None
        raise Wrong(f"takes {wanted}, not {seen(node)}", hint)
    if match[1] is not None and not 1 <= int(match[1]) <= _PORTS:
        raise Wrong(f"has a port that is not a number from 1 to {_PORTS}")
    return text.lower()


DENIED: Final = Type(_read_denied, {"type": "string", "pattern": r"^([a-z][a-z0-9_]*:)?/\S*$"})
THIRD_PARTY: Final = Type(_read_third_party, {"type": "string", "minLength": 1})
PEER: Final = Type(_read_peer, {"type": "string", "pattern": ":[0-9]+$"})
