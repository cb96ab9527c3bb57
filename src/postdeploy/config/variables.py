"""References in a target's texts: ``${NAME}`` or ``${env:NAME}``, for secrets ``${file:…}`` and ``${cmd:…}`` too.

Only parsed texts are expanded, so that no value can become a key; what came in is not expanded again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from postdeploy.config.node import UNKNOWN, Node
from postdeploy.config.report import Report
from postdeploy.config.sources import SECRET_KINDS, MissingValueError, Sources

__all__ = ["expand", "expand_secret"]

_REFERENCE: Final = re.compile(r"\$\$|\$\{([^}]*)(\}?)")
_NAME: Final = re.compile("[A-Z_][A-Z0-9_]*")
_BARE: Final = re.compile(r"\$[A-Z_][A-Z0-9_]+")
"""What a shell would fill in; sent as it is, it would be a wrong password that looks like a broken login."""

_SECRETS: Final = "secrets"
_UNKNOWN_TO_RUNS: Final = frozenset({"notify", "alerts", "heartbeat"})
"""A run tells nobody: it must neither know the values of these nor fail for want of them."""

_EXAMPLES: Final[Mapping[str, str]] = {
    "env": "as in ${env:API_TOKEN}",
    "file": "as in ${file:/run/secrets/api_token}",
    "cmd": "as in ${cmd:vault read -field=token secret/api}",
}


def expand(node: Node, sources: Sources, report: Report, *, required: bool) -> Node:
    """The entry of a target with every text expanded.

    A text without a value becomes ``UNKNOWN``; that is a problem only where it is ``required``, and only then files are
    read and commands run.
    """
    entries = {key: _entry(key, item, sources, report, required) for key, item in node.value.items()}
    return node._replace(value=entries)


def expand_secret(node: Node, sources: Sources, report: Report) -> Node:
    """A value of its own with every text expanded, whatever its source; one that is missing is reported."""
    return _expand(node, sources, report, required=True, secret=True)


def _entry(key: str, node: Node, sources: Sources, report: Report, required: bool) -> Node:
    if key == _SECRETS:
        return _secrets(node, sources, report, required)
    if key in _UNKNOWN_TO_RUNS:
        return _expand(node, sources._replace(environment={}), report, required=False, secret=True)
    return _expand(node, sources, report, required)


def _secrets(node: Node, sources: Sources, report: Report, required: bool) -> Node:
    if not isinstance(node.value, dict):
        return node
    return node._replace(
        value={
            key: item._replace(value=sources.handed[key])
            if key in sources.handed
            else _expand(item, sources, report, required, secret=True)
            for key, item in node.value.items()
        }
    )


def _expand(node: Node, sources: Sources, report: Report, required: bool, *, secret: bool = False) -> Node:
    value = node.value
    if isinstance(value, dict):
        return node._replace(
            value={key: _expand(item, sources, report, required, secret=secret) for key, item in value.items()}
        )
    if isinstance(value, list):
        return node._replace(value=[_expand(item, sources, report, required, secret=secret) for item in value])
    if isinstance(value, str) and "$" in value:
        return _Expansion(node, sources, report, required, secret).result()
    return node


class _Expansion:
    """One text."""

    def __init__(self, node: Node, sources: Sources, report: Report, required: bool, secret: bool) -> None:
        self._node = node
        self._sources = sources
        self._report = report
        self._required = required
        self._secret = secret
        self._known = True

    def result(self) -> Node:
        """The node with its text expanded, or ``UNKNOWN``."""
        if _BARE.fullmatch(self._node.value):
            self._refuse("'$' and a name is no variable", "write ${NAME}, or $$NAME for the characters themselves")
        text = _REFERENCE.sub(self._replace, self._node.value)
        return self._node._replace(value=text if self._known else UNKNOWN)

    def _replace(self, match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if not match[2]:
            return self._refuse("'${' without '}'", "write ${NAME}, or $${ for the characters themselves")
        kind, colon, argument = match[1].partition(":")
        if not colon or kind not in {"env", *SECRET_KINDS}:
            kind, argument = "env", match[1]
        if kind == "env" and not _NAME.fullmatch(argument):
            return self._refuse(f"'${{{match[1]}}}' names no variable", "use A to Z, 0 to 9 and _, as in ${API_TOKEN}")
        if kind != "env" and not self._secret:
            return self._refuse(f"'${{{kind}:…}}' belongs under 'secrets'", "what it gives must be masked")
        if not argument.strip():
            return self._refuse(f"'${{{kind}:}}' names nothing", _EXAMPLES[kind])
        return self._value(kind, argument.strip())

    def _value(self, kind: str, argument: str) -> str:
        if kind != "env" and not self._required:
            self._known = False
            return ""
        try:
            return self._sources.value(kind, argument)
        except MissingValueError as missing:
            self._known = False
            if self._required:
                self._report.lacks(self._node.at, missing.message, missing.hint)
            return ""

    def _refuse(self, message: str, hint: str) -> str:
        self._known = False
        self._report.add(self._node.at, message, hint)
        return ""
