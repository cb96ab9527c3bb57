from __future__ import annotations

import json

import pytest

from postdeploy.domain.spellings import byte_spellings, spellings


@pytest.mark.parametrize("text", ["né/1", "n\\u00e9/1", "n\\u00e9\\/1", "n%C3%A9%2F1", "n%c3%a9%2f1", "n\\xc3\\xa9/1"])
def test_spellings_of_a_text(text: str) -> None:
    """A value is known as JSON, URLs and Python spell it."""
    assert text in spellings("né/1")


def test_spellings_nest() -> None:
    """A value is known in JSON within JSON within JSON."""
    spelt = 'a"b\\1'
    for _ in range(3):
        spelt = json.dumps(spelt)[1:-1]
    assert spelt in spellings('a"b\\1')


def test_bytes_of_a_value() -> None:
    """A file may hold a value in UTF-8, in UTF-16 of either order, and in the old encodings of the West."""
    encodings = ("utf-8", "utf-16-le", "utf-16-be", "latin-1", "cp1252")
    assert {"né-1".encode(encoding) for encoding in encodings} <= byte_spellings("né-1")
    assert "1€".encode("cp1252") in byte_spellings("1€")


def test_bytes_that_an_encoding_cannot_say() -> None:
    """An encoding that lacks a character of the value adds no shorter spelling of it."""
    assert b"-1" not in byte_spellings("한-1")
    assert "한-1".encode() in byte_spellings("한-1")


def test_bytes_of_every_text() -> None:
    """What a text may hold, a file may hold in UTF-8, even halves of surrogate pairs."""
    texts = {text.encode("utf-8", "surrogatepass") for text in spellings("k-\ud800-1")}
    assert texts <= byte_spellings("k-\ud800-1")
