from __future__ import annotations

from typing import Any

import pytest

from postdeploy.domain.control import ControlResult
from tests.domain.builders import control


@pytest.mark.parametrize(
    "result", [control(), control("clock", healthy=False, code="clock_skew", skew=-3600.25, moment="start")]
)
def test_round_trip(result: ControlResult) -> None:
    """What a control probe came to is read back without loss."""
    assert ControlResult.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("field", "value"),
    [("probe", "weather"), ("moment", "never"), ("healthy", 1), ("at", "now"), ("message", None), ("skew", "much")],
)
def test_read_strictly(field: str, value: Any) -> None:
    """A record that is not exactly one of ours is refused."""
    with pytest.raises((TypeError, ValueError)):
        ControlResult.from_json(control().to_json() | {field: value})
