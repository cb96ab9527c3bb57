from __future__ import annotations

import pytest

from scripts.mutants import is_enough, table


def test_the_table_has_a_row_for_each_module() -> None:
    """What was not tried is neither noticed nor missed."""
    states = {
        "postdeploy.gate.x_rule__mutmut_1": "killed",
        "postdeploy.gate.x_rule__mutmut_2": "survived",
        "postdeploy.gate.x_rule__mutmut_3": "not checked",
        "postdeploy.domain.proof.x_judge__mutmut_1": "timeout",
        "postdeploy.domain.facts.x_fold__mutmut_1": "not checked",
    }
    assert table(states).splitlines()[2:] == [
        "| gate | 3 | 2 | 1 (50.0%) |",
        "| domain.proof | 1 | 1 | 1 (100.0%) |",
        "| domain.facts | 1 | 0 | 0 |",
        "| together | 5 | 3 | 2 (66.7%) |",
    ]


@pytest.mark.parametrize(
    ("killed", "others", "enough"),
    [
        (95, ["survived"] * 5, True),
        (94, ["survived"] * 6, False),
        (100, ["not checked"], False),
        (0, [], False),
        (19, ["no tests"], True),
        (18, ["suspicious"], False),
    ],
)
def test_what_is_enough(killed: int, others: list[str], *, enough: bool) -> None:
    """95 of 100, with none left out."""
    states = ["killed"] * killed + others
    assert is_enough({f"postdeploy.gate.x__mutmut_{number}": state for number, state in enumerate(states)}) is enough
