from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.config.selection import JsonPath, JsonPathError
from postdeploy.domain.selection import MISSING

DOCUMENT = {"a": {"b": [{"c": 1}, {"c": 2}], "d e": None, "f": "text"}, "0": "zero"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$", DOCUMENT),
        ("$.a.b[0].c", 1),
        ("$.a.b[-1].c", 2),
        ("$['a'][\"d e\"]", None),
        ("$.a.b[2]", MISSING),
        ("$.a.b[-3]", MISSING),
        ("$.a.x", MISSING),
        ("$.a.b.c", MISSING),
        ("$.a[0]", MISSING),
        ("$.a.f[0]", MISSING),
        ("$['0']", "zero"),
        ("$.a .f", "text"),
        ("$.a['\\u0066']", "text"),
        ("$.없음", MISSING),
    ],
)
def test_a_singular_path_gives_its_value_or_missing(text: str, value: object) -> None:
    """Null is a value, what is not there is MISSING, and a library path behaves like a plain one."""
    path = JsonPath(text)
    assert path.singular
    assert path.select(DOCUMENT) == value


@pytest.mark.parametrize(
    ("text", "values"),
    [("$..c", [1, 2]), ("$.a.b[*].c", [1, 2]), ("$.a.b[?@.c > 1].c", [2]), ("$.x[*]", [])],
)
def test_any_other_path_gives_a_list(text: str, values: list[object]) -> None:
    """All values, none being an empty list."""
    path = JsonPath(text)
    assert not path.singular
    assert path.select(DOCUMENT) == values


@pytest.mark.parametrize("text", ["", "a.b", "$.", "$.a[", "$.a[01]", "$['a", "$.a b", "$.0", "$.-", "$" + "[?" * 2000])
def test_what_is_no_path_is_refused(text: str) -> None:
    """The error is ours, whatever the library raises."""
    with pytest.raises(JsonPathError):
        JsonPath(text)


def test_paths_compare_and_show_as_they_are_written() -> None:
    """Two paths of one text are equal, and hash alike."""
    assert JsonPath("$.a") == JsonPath("$.a") != JsonPath("$.b")
    assert JsonPath("$.a") != "$.a"
    assert {JsonPath("$.a"), JsonPath("$.a")} == {JsonPath("$.a")}
    assert repr(JsonPath("$.a")) == "JsonPath('$.a')"


@given(st.lists(st.one_of(st.text("abc_", min_size=1, max_size=2), st.integers(-2, 2)), max_size=4))
def test_the_walk_agrees_with_the_library(segments: list[str | int]) -> None:
    """Plain paths mean here what the RFC's implementation says."""
    import jsonpath_rfc9535

    text = "$" + "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in segments)
    document = {"a": [{"b": 1, "a": [1, 2]}, 3], "b": {"a": {"c": [0]}}}
    expected = [node.value for node in jsonpath_rfc9535.find(text, document)]
    assert JsonPath(text).select(document) == (expected[0] if expected else MISSING)
