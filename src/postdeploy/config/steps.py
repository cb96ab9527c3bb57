"""One step of a check: exactly one probe, and the keys that go with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from postdeploy.config.node import Node
from postdeploy.config.page_expectations import CLEAN
from postdeploy.config.probes import STEP_FIELDS, VERBS, probe_of
from postdeploy.config.scope import Scope
from postdeploy.config.shape import UNREAD, Field, Shape, table
from postdeploy.config.wording import listed
from postdeploy.domain.check import Step
from postdeploy.domain.expectation import Expectation

__all__ = ["ALL_STEP_FIELDS", "ANY_STEP", "DEFAULT_TIMEOUT", "STEP", "expects", "read_step", "verb_of"]

DEFAULT_TIMEOUT: Final = 10.0
_LOGS: Final = ("console", "requests")

ALL_STEP_FIELDS: Final[Mapping[str, Field]] = {
    key: field for fields in reversed(tuple(STEP_FIELDS.values())) for key, field in fields.items()
}
"""The keys of all kinds of steps."""


def _foreign(kind: str, fields: Mapping[str, Field]) -> dict[str, str]:
    words = listed([f"'{word}'" for word, of_kind in VERBS.items() if of_kind == kind])
    return {key: f"'{key}' does not go with {words}" for key in ALL_STEP_FIELDS if key not in fields}


STEP: Final[Mapping[str, Shape]] = {kind: Shape(fields, _foreign(kind, fields)) for kind, fields in STEP_FIELDS.items()}
"""The shape of a step by kind of probe."""

ANY_STEP: Final = Shape(dict.fromkeys(ALL_STEP_FIELDS, UNREAD))
"""The shape of a step where it is not clear what it does."""


def verb_of(node: Node, scope: Scope, known: Collection[str], others: Iterable[str] = ()) -> str | None:
    """What the step does; None after it was reported that it does nothing or too much.

    Where there is a key that is not ``known``, that one is reported instead, by others.
    """
    found = [key for key in table(node) if key in VERBS or key in others]
    if len(found) == 1:
        return found[0]
    if found:
        named = listed([f"'{word}'" for word in found], "and")
        scope.report.add(node.value[found[1]].key, f"{named} in one step", "each takes a step of its own under 'steps'")
    elif all(key in known for key in node.value):
        scope.report.add(node.at, "nothing to do", f"add one of {listed((*VERBS, *others))}")
    return None


def read_step(
    verb: str, node: Node, found: Mapping[str, Any], timeout: float, scope: Scope, *, implied: bool
) -> Step | None:
    """The step whose keys are read; None where its place could not be. ``implied``: pages must be clean."""
    if "json" in found and "body" in found:
        scope.report.add(node.value["body"].key, "both 'json' and 'body'", "a request has one body")
    if verb not in found:
        return None
    expectations: tuple[Expectation, ...] = found.get("expect", ())
    if verb == "page" and implied:
        expectations += tuple(_implied(node))
    line, column = node.value[verb].key
    templated = node.templated and any(item.templated for key, item in node.value.items() if key in ALL_STEP_FIELDS)
    return Step(
        probe_of(verb, found, expectations),
        expectations,
        found.get("save", ()),
        found.get("timeout", timeout),
        line,
        column,
        templated,
    )


def expects(node: Node) -> bool:
    """Whether a step says what it expects, be it right or wrong; ``any`` is no expectation."""
    expect = node.value.get("expect")
    if expect is None or not isinstance(expect.value, dict) or not expect.value:
        return expect is not None
    return any(key not in _LOGS or item.value != "any" for key, item in expect.value.items())


def _implied(node: Node) -> Iterable[Expectation]:
    expect = node.value.get("expect")
    said = expect.value if expect is not None and isinstance(expect.value, dict) else {}
    line, column = node.at
    for subject in _LOGS:
        if subject not in said:
            yield Expectation(subject, CLEAN, line=line, column=column)
