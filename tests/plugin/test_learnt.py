from __future__ import annotations

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.plugin.learnt import KnownSecrets, _unveiled, _veiled, received


def test_a_value_that_a_test_learns_is_masked_from_then_on() -> None:
    """By the same redactor, and found under its name."""
    redactor = Redactor()
    known = KnownSecrets({"api": Secret("api", "given-4711-abc")}, redactor)
    known.learn("token", "learnt-4711-abc")
    assert known["token"].reveal() == "learnt-4711-abc"
    assert redactor.text("a learnt-4711-abc b") == "a *** b"


def test_what_is_confided_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes it out of its environment, so that no process below it has it."""
    monkeypatch.setenv("POSTDEPLOY_CONFIDENCES", '{"key": "00", "secrets": {"token": "x"}}')
    assert received() == {"key": "00", "secrets": {"token": "x"}}
    assert received() == {}


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 1000])
def test_what_goes_over_the_channel_is_unreadable_without_the_key(size: int) -> None:
    """It comes back whole with the key, is never the same twice, and shows nothing without it."""
    data, key = b"s" * size, b"k" * 32
    veiled, again = _veiled(data, key), _veiled(data, key)
    assert _unveiled(veiled, key) == data
    assert veiled != again
    assert size < 31 or (data not in veiled and _unveiled(veiled, b"o" * 32) != data)
