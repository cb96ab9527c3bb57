"""Variables of the environment in a target's texts: ``${NAME}``, and ``$$`` for a dollar.

Only parsed texts are expanded, so that no value of a variable can become a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from postdeploy.config.node import UNKNOWN, Node
from postdeploy.config.report import Report

__all__ = ["expand"]

_REFERENCE: Final = re.compile(r"\$\$|\$\{([^}]*)(\}?)")
_NAME: Final = re.compile("[A-Z_][A-Z0-9_]*")


def expand(node: Node, environment: Mapping[str, str], report: Report, *, required: bool) -> Node:
    """The tree with every text expanded.

    A text whose variable is missing or empty becomes ``UNKNOWN``; that is a problem only where it is ``required``.
    """
    value = node.value
    if isinstance(value, dict):
        expanded = {key: expand(item, environment, report, required=required) for key, item in value.items()}
        return node._replace(value=expanded)
    if isinstance(value, list):
        return node._replace(value=[expand(item, environment, report, required=required) for item in value])
    if isinstance(value, str) and "$" in value:
        return _Expansion(node, environment, report, required).result()
    return node


class _Expansion:
    """One text."""

    def __init__(self, node: Node, environment: Mapping[str, str], report: Report, required: bool) -> None:
        self._node = node
        self._environment = environment
        self._report = report
        self._required = required
        self._known = True

    def result(self) -> Node:
        """The node with its text expanded, or ``UNKNOWN``."""
        text = _REFERENCE.sub(self._replace, self._node.value)
        return self._node._replace(value=text if self._known else UNKNOWN)

    def _replace(self, match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name = match[1]
        if not match[2]:
            return self._refuse("'${' without '}'", "write ${NAME}, or $${ for the characters themselves")
        if not _NAME.fullmatch(name):
            return self._refuse(f"'${{{name}}}' names no variable", "use A to Z, 0 to 9 and _, as in ${API_TOKEN}")
        value = self._environment.get(name, "")
        return value or self._lacks(name)

    def _refuse(self, message: str, hint: str) -> str:
        self._known = False
        self._report.add(self._node.at, message, hint)
        return ""

    def _lacks(self, name: str) -> str:
        self._known = False
        if self._required:
            state = "is empty" if name in self._environment else "is not set"
            self._report.lacks(self._node.at, f"variable '{name}' {state}", "set it in the environment of this run")
        return ""
