from __future__ import annotations

import json

import pytest

from postdeploy.domain.secret import parts, weakness


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("abc", "is shorter than 8 characters"),
        ("aaaabbbb", "has fewer than 4 different characters"),
        ("Password1", "is a common password"),
        ("Elephant", "is a single word"),
        ("BIRTHDAY", "is a single word"),
        ("a7Bq-1zz", None),
        ("mySecretWord", None),
        ("correcthorsebatterystaple", None),
    ],
)
def test_weakness(value: str, why: str | None) -> None:
    """A value that stands in ordinary text by chance is weak, and the reason does not tell it."""
    assert weakness(value) == why


def test_parts_of_a_key() -> None:
    """The long lines of a key are secret by themselves; its frame and its rests are not."""
    key = "-----BEGIN KEY-----\n  MIIEvQIBADANBgkqhkiG\nabc\n-----END KEY-----"
    assert list(parts(key)) == [key, "MIIEvQIBADANBgkqhkiG"]


def test_parts_of_a_document() -> None:
    """The texts of a JSON document are secret by themselves, unless they are weak; names and numbers are not."""
    document = {"user_name_1": "me", "port": 12345678, "password": "x7!Kq92-pp", "hosts": ["elephant", "c4t-on-a-mat"]}
    value = json.dumps(document)
    assert list(parts(value)) == [value, "x7!Kq92-pp", "c4t-on-a-mat"]


def test_parts_of_a_document_in_a_document() -> None:
    """A JSON document that a text of another holds is looked into."""
    inner = json.dumps({"k": "deep-1-value"})
    value = json.dumps([inner])
    assert list(parts(value)) == [value, inner, "deep-1-value"]


@pytest.mark.parametrize("value", ["{not-json-1}", "[" * 100_000, "plain-1-value"])
def test_whole_value_only(value: str) -> None:
    """What is no document and has one line is secret as a whole, however it begins."""
    assert list(parts(value)) == [value]
