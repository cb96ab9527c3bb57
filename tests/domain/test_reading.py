from __future__ import annotations

from collections.abc import Callable

import pytest

from postdeploy.domain import reading


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (reading.number, 1.5),
        (reading.count, 3),
        (reading.count, 0),
        (reading.text, ""),
        (reading.optional_text, "a"),
        (reading.optional_text, None),
        (reading.flag, False),
        (reading.array, [1]),
        (reading.mapping, {"a": 1}),
    ],
)
def test_its_own_type_is_read(read: Callable[[object], object], value: object) -> None:
    """A value of the type that was written comes back as it is."""
    assert read(value) == value


def test_whole_number_is_a_number() -> None:
    """JSON has one kind of number."""
    assert isinstance(reading.number(2), float)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (reading.number, True),
        (reading.number, "1"),
        (reading.number, None),
        (reading.number, float("nan")),
        (reading.number, float("inf")),
        (reading.number, 10**400),
        (reading.count, True),
        (reading.count, 1.0),
        (reading.count, -1),
        (reading.text, None),
        (reading.text, b"a"),
        (reading.optional_text, 0),
        (reading.flag, "false"),
        (reading.flag, 0),
        (reading.array, "abc"),
        (reading.array, {}),
        (reading.mapping, []),
    ],
    ids=lambda value: getattr(value, "__name__", None) or repr(value)[:10],
)
def test_other_types_are_refused(read: Callable[[object], object], value: object) -> None:
    """Nothing is bent into the type that is asked for."""
    with pytest.raises((TypeError, ValueError)):
        read(value)


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (reading.number, "1", "expected a number, got '1'"),
        (reading.number, 10**400, "expected a number, got one beyond all measure"),
        (reading.number, float("inf"), "expected a finite number, got inf"),
        (reading.count, 1.0, "expected a whole number, got 1.0"),
        (reading.count, -1, "expected a number that is not negative, got -1"),
        (reading.text, 1, "expected a text, got 1"),
        (reading.flag, 0, "expected true or false, got 0"),
        (reading.array, "abc", "expected an array, got 'abc'"),
        (reading.mapping, [], "expected an object, got []"),
    ],
    ids=lambda value: getattr(value, "__name__", None) or repr(value)[:10],
)
def test_what_is_refused_is_told(read: Callable[[object], object], value: object, words: str) -> None:
    """With what was expected in its place."""
    with pytest.raises((TypeError, ValueError)) as caught:
        read(value)
    assert str(caught.value) == words
