"""One step of a check: exactly one probe, and the keys that go with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from postdeploy.config.node import Node
from postdeploy.config.page_expectations import CLEAN
from postdeploy.config.probes import STEP_FIELDS, VERBS, probe_of
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, table
from postdeploy.config.wording import listed
from postdeploy.domain.check import Step
from postdeploy.domain.expectation import Expectation

__all__ = ["ALL_STEP_FIELDS", "DEFAULT_TIMEOUT", "STEP", "Draft", "read_draft", "verb_of"]

DEFAULT_TIMEOUT: Final = 10.0

ALL_STEP_FIELDS: Final[Mapping[str, Field]] = {
    key: field for fields in reversed(tuple(STEP_FIELDS.values())) for key, field in fields.items()
}
"""The keys of all kinds of steps."""


def _foreign(kind: str, fields: Mapping[str, Field]) -> dict[str, str]:
    words = listed([f"'{word}'" for word, of_kind in VERBS.items() if of_kind == kind])
    return {key: f"'{key}' does not go with {words}" for key in ALL_STEP_FIELDS if key not in fields}


STEP: Final[Mapping[str, Shape]] = {kind: Shape(fields, _foreign(kind, fields)) for kind, fields in STEP_FIELDS.items()}
"""The shape of a step by kind of probe."""


class Draft(NamedTuple):
    """A step as it is read: what its check adds (time limit, place) is still open."""

    step: Step
    explicit: bool


def verb_of(node: Node, scope: Scope, others: Iterable[str] = ()) -> str | None:
    """What the step does; None after it was reported that it does nothing or too much."""
    found = [key for key in table(node) if key in VERBS or key in others]
    if len(found) == 1:
        return found[0]
    words = listed((*VERBS, *others))
    if found:
        named = listed([f"'{word}'" for word in found], "and")
        scope.report.add(node.value[found[1]].key, f"{named} in one step", "each takes a step of its own under 'steps'")
    else:
        scope.report.add(node.at, "nothing to do", f"add one of {words}")
    return None


def read_draft(verb: str, node: Node, found: Mapping[str, Any], timeout: float, *, implied: bool) -> Draft | None:
    """The step whose keys are read; None where its place could not be. ``implied``: pages must be clean."""
    if verb not in found:
        return None
    expectations: tuple[Expectation, ...] = found.get("expect", ())
    explicit = bool(expectations)
    if verb == "page" and implied:
        expectations += tuple(_implied(node))
    line, column = node.value[verb].key
    templated = node.templated and any(item.templated for key, item in node.value.items() if key in ALL_STEP_FIELDS)
    step = Step(
        probe_of(verb, found, expectations),
        expectations,
        found.get("save", ()),
        found.get("timeout", timeout),
        line,
        column,
        templated,
    )
    return Draft(step, explicit)


def _implied(node: Node) -> Iterable[Expectation]:
    expect = node.value.get("expect")
    said = expect.value if expect is not None and isinstance(expect.value, dict) else {}
    line, column = node.at
    for subject in ("console", "requests"):
        if subject not in said:
            yield Expectation(subject, CLEAN, line=line, column=column)
