from __future__ import annotations

import pytest

from postdeploy.config.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("3s", 3.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1.5s", 1.5),
        ("90", 90.0),
        ("0.25", 0.25),
        ("1.1ms", 0.0011),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """A number and a unit, or a plain number of seconds."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "0.0h", "-1s", "1 s", "1d", "1e3", "s", "1.s", ".5s", "٣s", "9" * 400])
def test_what_is_no_duration(text: str) -> None:
    """Nothing, less than nothing, unknown units and other alphabets' digits."""
    with pytest.raises(ValueError, match="is no duration; write it like 500ms"):
        seconds_of(text)
