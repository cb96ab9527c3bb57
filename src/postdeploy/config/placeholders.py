"""``${name}`` in the steps of a suite: every name must have a value when its step is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from postdeploy.config.node import Node
from postdeploy.config.scope import Scope
from postdeploy.config.wording import nearest, way_out

__all__ = ["BUILT_IN", "check_placeholders"]

BUILT_IN: Final = ("release", "run.id", "target", "unique")
"""Names that always have a value; ``unique`` is a fresh one for each attempt."""

_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)(\}?)")
_VARIABLE: Final = re.compile("[A-Z][A-Z0-9_]*")
_PREFIX: Final = "secrets."


def check_placeholders(node: Node, saved: Iterable[str], scope: Scope) -> None:
    """Report every placeholder in a step that has no value; ``saved`` are the names that earlier steps save."""
    known = (*saved, *BUILT_IN)
    for text, place in _texts(node, scope):
        for name, end in dict.fromkeys(_PLACEHOLDER.findall(text)):
            if not end:
                scope.report.add(place, "'${' without '}'", "write ${name}")
            elif name not in known and not scope.report.full:
                _judge(name, place, known, scope)


def _judge(name: str, place: tuple[int, int], known: tuple[str, ...], scope: Scope) -> None:
    secrets = tuple(_PREFIX + secret for secret in scope.secrets or ())
    if name in secrets or (scope.secrets is None and name.startswith(_PREFIX)):
        return
    if name.startswith(_PREFIX):
        message = f"'${{{name}}}' names a secret that target '{scope.target}' does not have"
        close = nearest(name.removeprefix(_PREFIX), scope.secrets or ())
        way = (
            f"did you mean '{_PREFIX}{close}'?"
            if close
            else "name it under 'secrets' in targets.yaml, or limit the check with 'when'"
        )
        scope.report.add(place, message, way)
    elif _VARIABLE.fullmatch(name):
        hint = "only targets.yaml reads the environment: name it under 'secrets' and write ${secrets.name}"
        scope.report.add(place, f"'${{{name}}}' has no value", hint)
    else:
        scope.report.add(
            place, f"'${{{name}}}' has no value: no earlier step saves it", way_out(name, (*known, *secrets))
        )


def _texts(node: Node, scope: Scope) -> Iterator[tuple[str, tuple[int, int]]]:
    """Every value that holds ``${``, with its place; keys that do are reported."""
    if not node.templated:
        return
    if isinstance(node.value, dict):
        for key, item in node.value.items():
            if "${" in key:
                scope.report.add(item.key, "a key holds '${', but only values are filled in", "write it out")
            yield from _texts(item, scope)
    elif isinstance(node.value, list):
        for item in node.value:
            yield from _texts(item, scope)
    else:
        yield node.text, node.at
