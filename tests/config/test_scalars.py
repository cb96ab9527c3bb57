from __future__ import annotations

import pytest

from postdeploy.config.scalars import hidden, resolve


@pytest.mark.parametrize(
    "text",
    [
        "NO",
        "no",
        "on",
        "yes",
        "True",
        "Null",
        "010",
        "22:22",
        "2024-01-01",
        "0x1f",
        "0e12345",
        "1e3",
        "12e4567",
        "1_000",
    ],
)
def test_what_only_looks_special_stays_text(text: str) -> None:
    """Country codes, times, dates and commits are no values."""
    assert resolve(text) == text


@pytest.mark.parametrize("text", ["-", "1.", ".5", "+1", "1.5.2", "9" * 5000, "-x", "1.0e999"])
def test_what_json_would_not_call_a_number_is_text(text: str) -> None:
    """Only numbers as JSON writes them are numbers."""
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-17", -17),
        ("1.10", 1.1),
        ("-2.5e-3", -0.0025),
    ],
)
def test_plain_values_are_values(text: str, value: object) -> None:
    """The few words and numbers of the core schema."""
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("a\nb", "U+000A"),
        ("a\x1b", "U+001B"),
        ("\ud800", "U+D800"),
        ("저장 é", None),
        ("a\u00a0b", None),
    ],
)
def test_invisible_characters_are_named(text: str, seen: str | None) -> None:
    """Bidirectional, zero-width and control characters are found; letters of any script are not."""
    assert hidden(text) == seen
