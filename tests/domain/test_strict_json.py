from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.domain.strict_json import DEPTH, UnreadableError, read_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_what_is_json_is_read(value: object, ascii_only: bool) -> None:
    """Every document that JSON can say is read as what it says."""
    try:
        text = json.dumps(value, ensure_ascii=ascii_only)
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return
    if any(0xD800 <= ord(character) <= 0xDFFF for character in str(value)):
        return
    assert read_json(text.encode()) == value


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    """No bytes lead to another error."""
    with contextlib.suppress(UnreadableError):
        read_json(data)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a": 1, "b": {"a": 1, "a": 2}}', 'JSON with the key "a" twice in one object at offset 23'),
        (b'[{"a": 1}, {"a": 1, "a": 2}]', 'JSON with the key "a" twice in one object at offset 20'),
        (b'{"status":"down","status":"ok"}', 'JSON with the key "status" twice in one object at offset 17'),
        (b'{"a": 1, "\\u0061": 2}', 'JSON with the key "a" twice in one object at offset 9'),
        (b'["NaN", NaN]', "not JSON: NaN is not a JSON number at offset 8"),
        (b"[1, 1e999]", "not JSON that can be read: a number beyond what a double holds: 1e999 at offset 4"),
        (b'"\\ud800"', "not JSON that can be read: half of a surrogate pair at offset 1"),
        (b'"a\\udc00"', "not JSON that can be read: half of a surrogate pair at offset 2"),
        (b'"\\ud83d x \\ude00"', "not JSON that can be read: half of a surrogate pair at offset 1"),
        (b'"\\uD83D\\uD83D"', "not JSON that can be read: half of a surrogate pair at offset 1"),
        (b'"\xed\xa0\x80"', "not JSON: bytes that are not utf-8 at offset 1"),
        (b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), f"not JSON that can be read: nested too deeply at offset {DEPTH}"),
        (b"[" * 100_000, f"not JSON that can be read: nested too deeply at offset {DEPTH}"),
        (b"9" * 5000, "not JSON that can be read: "),
    ],
)
def test_what_is_refused(body: bytes, message: str) -> None:
    """What readers understand in different ways is told with its offset."""
    with pytest.raises(UnreadableError) as caught:
        read_json(body)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'"\\ud83d\\ude00\\ud83d\\ude00"', "\U0001f600" * 2),
        (b"[" * DEPTH + b"]" * DEPTH, None),
        (b'["[[[", "{"]' + b" " * 300, ["[[[", "{"]),
        (b"[" + b",".join([b"[{}]"] * 300) + b"]", [[{}]] * 300),
    ],
)
def test_what_is_fine(body: bytes, value: object) -> None:
    """A byte order mark is ignored (RFC 8259 §8.1); pairs, escaped backslashes and brackets in texts are fine."""
    read = read_json(body)
    assert value is None or read == value
