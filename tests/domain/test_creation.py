from __future__ import annotations

from typing import Any

import pytest

from postdeploy.domain.check import HttpProbe, Save, Step, TlsProbe
from postdeploy.domain.creation import (
    Creation,
    intent_record,
    learnt_record,
    leftovers,
    placeholders,
    recipe,
    undone_record,
)
from postdeploy.domain.target import Location


class Path:
    """A selector of the tests."""

    text = "$.id"

    def select(self, document: object) -> object:
        """Give it back."""
        return document


DELETE = HttpProbe("DELETE", Location("api", "/things/${id}"), {"X-A": "${unique}"}, auth="bearer ${secrets.token}")
UNDO = recipe(Step(DELETE))
THING = Creation("1", "local", "run", "check", (UNDO,), {"unique": "u"})


def test_a_recipe_keeps_its_placeholders() -> None:
    """Nothing is filled in, so no secret gets into it."""
    assert UNDO == {
        "method": "DELETE",
        "place": "api:/things/${id}",
        "timeout": 10.0,
        "headers": {"X-A": "${unique}"},
        "auth": "bearer ${secrets.token}",
    }
    assert placeholders([UNDO]) == {"id", "unique"}


def test_a_recipe_with_a_body_and_values_to_save() -> None:
    """A JSON null is a body, too."""
    step = Step(
        HttpProbe("POST", Location("api", "/x"), has_json=True),
        save=(Save("id", Path()), Save("at", None, "location")),
    )
    found = recipe(step)
    assert found["json"] is None
    assert found["save"] == [
        {"name": "id", "json": "$.id", "header": None},
        {"name": "at", "json": None, "header": "location"},
    ]


def test_only_requests_are_recipes() -> None:
    """A handshake undoes nothing."""
    with pytest.raises(TypeError, match="only requests"):
        recipe(Step(TlsProbe("api")))


def test_what_is_left_is_what_was_not_undone() -> None:
    """With all that was learnt of it, the newest first."""
    other = Creation("2", "local", "run", "other", (UNDO,))
    records = [
        intent_record(THING, 1.0),
        learnt_record("1", {"id": "7"}),
        learnt_record("9", {"id": "unknown to the ledger"}),
        intent_record(other, 2.0),
        intent_record(Creation("3", "local", "run", "gone", ()), 3.0),
        undone_record("3"),
        undone_record("4"),
    ]
    left = leftovers(records)
    assert [each.check for each in left] == ["other", "check"]
    assert left[1].variables == {"unique": "u", "id": "7"}


@pytest.mark.parametrize(
    "record",
    [
        {"record": "other", "id": "1"},
        {"record": "intent", "id": "1"},
        intent_record(THING, 1.0) | {"undo": [{"method": "DELETE", "place": "nowhere"}]},
        intent_record(THING, 1.0) | {"undo": [{"method": 1, "place": "api:/x"}]},
        intent_record(THING, 1.0) | {"undo": [{"method": "GET", "place": "api:/x", "save": [{"name": 1}]}]},
    ],
)
def test_what_is_no_record_of_the_ledger(record: dict[str, Any]) -> None:
    """It is refused rather than guessed at."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        leftovers([record])
