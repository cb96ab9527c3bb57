from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.domain.matcher import WORDS, Matcher, MatcherError, show
from postdeploy.domain.selection import MISSING

NAN, INF = math.nan, math.inf
HUGE = 10**400

HOLDS: list[tuple[object, object]] = [
    ("ok", "ok"),
    (200, 200),
    (200, 200.0),
    (None, None),
    (True, True),
    ([1, "a"], [1, "a"]),
    ([1], (1,)),
    ({"eq": {"a": [1, None]}}, {"a": [1, None]}),
    ({"eq": {}}, {}),
    ({"ne": "a"}, "b"),
    ({"ne": 1}, True),
    ({"ne": 1}, "1"),
    ({"ne": 1}, NAN),
    ({"lt": 5}, 4.9),
    ({"le": 5}, 5),
    ({"gt": 5}, 5.1),
    ({"ge": 5}, 5),
    ({"gt": 5}, HUGE),
    ({"lt": HUGE}, 5.5),
    ({"lt": "b"}, "a"),
    ({"ge": "2024-01-01"}, "2024-06-30"),
    ({"in": ["ok", "degraded"]}, "degraded"),
    ({"in": [None, 1]}, None),
    ({"in": [[1], {"a": 1}]}, {"a": 1}),
    ({"contains": "ell"}, "hello"),
    ({"contains": 2}, [1, 2]),
    ({"contains": None}, [None]),
    ({"contains": "id"}, {"id": 5}),
    ({"contains": {"gt": 5}}, [1, 9]),
    ({"contains": {"eq": {"id": 1}}}, [{"id": 2}, {"id": 1}]),
    ({"matches": "^v[0-9]+"}, "v12-rc"),
    ({"matches": "b"}, "abc"),
    ({"starts_with": "ab"}, "abc"),
    ({"ends_with": "bc"}, "abc"),
    ({"exists": True}, None),
    ({"exists": True}, False),
    ({"exists": False}, MISSING),
    ({"type": "string"}, ""),
    ({"type": "number"}, 1.5),
    ({"type": "number"}, 1),
    ({"type": "integer"}, 1),
    ({"type": "boolean"}, False),
    ({"type": "object"}, {}),
    ({"type": "array"}, []),
    ({"type": "null"}, None),
    ({"length": 3}, "abc"),
    ({"length": {"ge": 1}}, [0]),
    ({"length": 1}, {"a": 1}),
    ({"length": 2}, (1, 2)),
    ({"each": {"gt": 0}}, [1, 2]),
    ({"each": {"type": "string"}}, ("a",)),
    ({"each": 1}, []),
    ({"any": [1, {"gt": 5}]}, 9),
    ({"any": [{"exists": False}, "a"]}, MISSING),
    ({"all": [{"gt": 0}, {"lt": 5}]}, 3),
    ({"all": [{"exists": False}]}, MISSING),
    ({"not": "a"}, "b"),
    ({"not": {"contains": "error"}}, "fine"),
    ({"not": {"exists": True}}, MISSING),
    ({"not": {"any": [1, {"each": {"not": {"gt": 0}}}]}}, [1]),
    ({"gt": 0, "lt": 5}, 3),
    ({"each": {"all": [{"gt": 0}, {"not": {"in": [3, 4]}}]}}, [1, 2]),
]

FAILS: list[tuple[object, object]] = [
    ("ok", "OK"),
    (1, True),
    (0, False),
    (True, 1),
    (1, "1"),
    (None, MISSING),
    (None, False),
    (NAN, NAN),
    ([1], [True]),
    ([1, 2], [1]),
    ({"eq": {"a": 1}}, {"a": True}),
    ({"eq": {"a": 1}}, {"a": 1, "b": 2}),
    ({"eq": []}, {}),
    ({"ne": "a"}, "a"),
    ({"ne": "a"}, MISSING),
    ({"lt": 5}, 5),
    ({"le": 5}, 5.1),
    ({"gt": 5}, 5),
    ({"ge": 5}, 4.9),
    ({"lt": 5}, "4"),
    ({"lt": "5"}, 4),
    ({"lt": 5}, True),
    ({"lt": 5}, None),
    ({"lt": 5}, NAN),
    ({"ge": 5}, NAN),
    ({"ge": 5}, INF),
    ({"lt": 5}, -INF),
    ({"lt": 5}, HUGE),
    ({"lt": 5}, MISSING),
    ({"in": [1, 2]}, True),
    ({"in": ["a"]}, MISSING),
    ({"in": ["abc"]}, "b"),
    ({"contains": "a"}, "b"),
    ({"contains": 1}, "1"),
    ({"contains": 1}, [True]),
    ({"contains": 1}, 1),
    ({"contains": "a"}, None),
    ({"contains": [1]}, {"a": 1}),
    ({"contains": {"gt": 5}}, [1]),
    ({"contains": {"gt": 5}}, 9),
    ({"contains": "a"}, MISSING),
    ({"matches": "^b"}, "ab"),
    ({"matches": "1"}, 1),
    ({"matches": ".*"}, MISSING),
    ({"starts_with": "b"}, "ab"),
    ({"starts_with": "1"}, 1),
    ({"ends_with": "a"}, "ab"),
    ({"ends_with": "a"}, ["a"]),
    ({"exists": True}, MISSING),
    ({"exists": False}, None),
    ({"type": "string"}, 1),
    ({"type": "number"}, True),
    ({"type": "integer"}, True),
    ({"type": "integer"}, 1.0),
    ({"type": "boolean"}, 0),
    ({"type": "null"}, MISSING),
    ({"type": "object"}, []),
    ({"length": 3}, "ab"),
    ({"length": 0}, None),
    ({"length": 1}, 1),
    ({"length": 0}, MISSING),
    ({"each": {"gt": 0}}, [1, 0]),
    ({"each": {"gt": 0}}, 1),
    ({"each": {"gt": 0}}, "ab"),
    ({"each": {"exists": False}}, MISSING),
    ({"any": [1, 2]}, 3),
    ({"all": [{"gt": 0}, {"lt": 5}]}, 7),
    ({"not": {"exists": False}}, MISSING),
    ({"not": "a"}, "a"),
    ({"gt": 0, "lt": 5}, 5),
]


def label(value: object) -> str:
    """A short name for a case of a table."""
    return show(value, 60) if value is not HUGE else "huge"


@pytest.mark.parametrize(("raw", "value"), HOLDS, ids=label)
def test_holds(raw: object, value: object) -> None:
    """What is as expected passes."""
    assert Matcher.of(raw).test(value) is True


@pytest.mark.parametrize(("raw", "value"), FAILS, ids=label)
def test_fails(raw: object, value: object) -> None:
    """What is not as expected, or nothing, or of another type, does not pass."""
    assert Matcher.of(raw).test(value) is False


def test_tables_know_every_word() -> None:
    """Each word of the vocabulary has a case that holds and one that fails."""
    for table in (HOLDS, FAILS):
        assert set(WORDS) - {word for raw, _ in table for word in (raw if isinstance(raw, dict) else {"eq"})} == set()


def test_nothing_fails_every_word_that_asks_for_a_value() -> None:
    """Where nothing is there, no word that asks for a value holds, not even a negative one."""
    asking = {"eq": 1, "ne": 1, "lt": 1, "le": 1, "gt": 1, "ge": 1, "in": [1], "contains": 1, "length": 1}
    asking |= {"matches": "a", "starts_with": "a", "ends_with": "a", "type": "null", "each": 1, "exists": True}
    assert not any(Matcher.of({word: operand}).test(MISSING) for word, operand in asking.items())
    assert set(WORDS) - set(asking) == {"any", "all", "not"}


REFUSED: list[tuple[object, str]] = [
    ({}, "an empty mapping expects nothing"),
    ({"equals": 1}, "unknown matcher 'equals'"),
    ({1: 1}, "unknown matcher 1"),
    ({"lt": None}, "'lt' takes a number or a text"),
    ({"le": True}, "'le' takes a number or a text"),
    ({"gt": NAN}, "'gt' takes a number or a text"),
    ({"ge": -INF}, "'ge' takes a number or a text"),
    ({"lt": [1]}, "'lt' takes a number or a text"),
    ({"in": []}, "'in' takes a list with at least one value"),
    ({"in": "abc"}, "'in' takes a list with at least one value"),
    ({"contains": ""}, "'contains' takes a text that is not empty"),
    ({"contains": {}}, "an empty mapping expects nothing"),
    ({"matches": "("}, "'matches' takes a regular expression: "),
    ({"matches": ""}, "'matches' takes a text that is not empty"),
    ({"matches": 1}, "'matches' takes a text that is not empty"),
    ({"starts_with": ""}, "'starts_with' takes a text that is not empty"),
    ({"ends_with": None}, "'ends_with' takes a text that is not empty"),
    ({"exists": "yes"}, "'exists' takes true or false"),
    ({"exists": 1}, "'exists' takes true or false"),
    ({"type": "text"}, "'type' takes one of string, number"),
    ({"type": ["string"]}, "'type' takes one of string, number"),
    ({"type": None}, "'type' takes one of string, number"),
    ({"length": {}}, "an empty mapping expects nothing"),
    ({"each": {"x": 1}}, "unknown matcher 'x'"),
    ({"any": []}, "'any' takes a list of matchers"),
    ({"all": {"gt": 1}}, "'all' takes a list of matchers"),
    ({"any": [{"x": 1}]}, "unknown matcher 'x'"),
    ({"not": {}}, "an empty mapping expects nothing"),
]


@pytest.mark.parametrize(("raw", "message"), REFUSED, ids=lambda value: label(value)[:60])
def test_refused(raw: object, message: str) -> None:
    """A matcher that cannot be, or that would hold for everything, is refused with what is wrong."""
    with pytest.raises(MatcherError) as caught:
        Matcher.of(raw)
    assert str(caught.value).startswith(message)


def test_refusal_names_the_offender() -> None:
    """The word that is wrong can be pointed at."""
    with pytest.raises(MatcherError) as caught:
        Matcher.of({"not": {"equal": 1}})
    assert caught.value.word == "equal"


def test_matcher_stays_itself() -> None:
    """A matcher of a matcher is that matcher."""
    matcher = Matcher.of({"gt": 5})
    assert Matcher.of(matcher) is matcher


@pytest.mark.parametrize(
    ("raw", "phrase"),
    [
        ("ok", '"ok"'),
        (None, "null"),
        ({"ne": 1}, "not 1"),
        ({"lt": 5}, "< 5"),
        ({"le": 5}, "≤ 5"),
        ({"gt": 5}, "> 5"),
        ({"ge": 21}, "≥ 21"),
        ({"in": ["ok", "degraded"]}, 'one of ["ok", "degraded"]'),
        ({"contains": "no-store"}, 'contains "no-store"'),
        ({"contains": {"gt": 5}}, "contains > 5"),
        ({"matches": "^v"}, "matches /^v/"),
        ({"starts_with": "a"}, 'starts with "a"'),
        ({"ends_with": "a"}, 'ends with "a"'),
        ({"exists": True}, "something"),
        ({"exists": False}, "nothing"),
        ({"type": "string"}, "of type string"),
        ({"length": {"gt": 0}}, "of length > 0"),
        ({"each": {"type": "string"}}, "each of type string"),
        ({"any": [1, {"gt": 5}]}, "1 or > 5"),
        ({"all": [{"gt": 0}, {"lt": 5}]}, "> 0 and < 5"),
        ({"gt": 0, "lt": 5}, "> 0 and < 5"),
        ({"not": {"contains": "x"}}, 'not (contains "x")'),
    ],
    ids=label,
)
def test_phrase(raw: object, phrase: str) -> None:
    """A matcher reads as a phrase after 'expected'."""
    assert str(Matcher.of(raw)) == phrase


def fill(text: str) -> object:
    """Stand in for the variables of a check."""
    values = {"${id}": 7, "${name}": "ann", "${empty}": "", "${broken}": "(", "${list}": [1], "${matcher}": {"gt": 5}}
    return values.get(text, text)


@pytest.mark.parametrize(
    ("raw", "rendered"),
    [
        ("${id}", 7),
        ({"gt": "${id}"}, {"gt": 7}),
        ({"in": ["${id}", "x"]}, {"in": [7, "x"]}),
        ({"eq": {"a": ["${name}"]}}, {"eq": {"a": ["ann"]}}),
        ({"contains": "${id}"}, {"contains": 7}),
        ({"contains": {"eq": "${name}"}}, {"contains": {"eq": "ann"}}),
        ({"matches": "${name}"}, {"matches": "ann"}),
        ({"starts_with": "${name}"}, {"starts_with": "ann"}),
        ({"ends_with": "${name}"}, {"ends_with": "ann"}),
        ({"not": {"any": ["${id}", {"length": "${id}"}]}}, {"not": {"any": [7, {"length": 7}]}}),
        ({"exists": True}, {"exists": True}),
        ({"type": "string"}, {"type": "string"}),
        (5, 5),
    ],
    ids=label,
)
def test_render(raw: object, rendered: object) -> None:
    """Rendering fills the texts of a matcher at every depth, and numbers may come out of it."""
    assert Matcher.of(raw).render(fill) == Matcher.of(rendered)


@pytest.mark.parametrize(
    "raw",
    [
        {"contains": "${empty}"},
        {"starts_with": "${empty}"},
        {"ends_with": "${empty}"},
        {"starts_with": "${id}"},
        {"matches": "${empty}"},
        {"matches": "${broken}"},
        {"matches": "${id}"},
        {"lt": "${list}"},
        {"type": "${name}"},
        {"not": {"contains": "${empty}"}},
    ],
    ids=label,
)
def test_render_to_what_cannot_be(raw: object) -> None:
    """A text that came out empty would hold for everything, so it is refused after rendering as well as before."""
    with pytest.raises(MatcherError):
        Matcher.of(raw).render(fill)


def test_answer_never_becomes_a_matcher() -> None:
    """A value that the target gave is a value, even where it looks like a matcher."""
    assert Matcher.of({"contains": "${matcher}"}).render(fill).test([{"gt": 5}])
    assert not Matcher.of({"contains": "${matcher}"}).render(fill).test([9])
    assert not Matcher.of("${matcher}").render(fill).test(9)


def deep(depth: int) -> object:
    """An array within an array, many times."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def test_deep_answers_do_no_harm() -> None:
    """An answer that is nested without end fails like any other."""
    assert not Matcher.of({"each": {"gt": 0}}).test(deep(100_000))
    assert not Matcher.of([1]).test(deep(100_000))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MATCHERS = [Matcher.of(raw) for raw, _ in (*HOLDS, *FAILS)]


@given(json_values)
def test_every_matcher_answers_every_value(value: object) -> None:
    """Whatever a target answers, a matcher says yes or no and raises nothing."""
    assert all(isinstance(matcher.test(value), bool) for matcher in MATCHERS)


@given(json_values)
def test_opposites(value: object) -> None:
    """Of a value that is there, 'ne' is the opposite of 'eq', and 'not' of anything."""
    samples: list[object] = [None, 1, True, "a", [], {}]
    for expected in samples:
        equal = Matcher("eq", expected)
        assert Matcher("ne", expected).test(value) is not equal.test(value)
        assert Matcher("not", equal).test(value) is not equal.test(value)


@pytest.mark.parametrize(("word", "value"), [("length", []), ("each", [1]), ("not", 1)])
def test_composing_words_need_matchers(word: str, value: object) -> None:
    """A composing word that was built past ``of`` says so instead of judging."""
    with pytest.raises(TypeError, match="is not a matcher"):
        Matcher(word, 5).test(value)


@pytest.mark.parametrize(("word", "holds"), [("any", False), ("all", True)])
def test_composing_words_without_parts(word: str, holds: bool) -> None:
    """Something else than a tuple has no parts."""
    assert Matcher(word, 5).test(1) is holds


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (MISSING, "nothing"),
        (None, "null"),
        (True, "true"),
        ("한", '"한"'),
        ("\ud800", '"\\ud800"'),
        ({"a": [1]}, '{"a": [1]}'),
        ((1, 2), "[1, 2]"),
        (NAN, "NaN"),
        (b"x", "\"b'x'\""),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (Matcher("gt", 5), "> 5"),
        ("x" * 300, '"' + "x" * 198 + "…"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_show(value: object, shown: str) -> None:
    """A value is shown as JSON where it is JSON, else as Python, and never at length."""
    assert show(value) == shown


def test_show_of_a_circle() -> None:
    """What contains itself is shown all the same."""
    circle: list[object] = []
    circle.append(circle)
    assert show(circle) == "[[...]]"


def test_show_of_what_is_too_deep() -> None:
    """What is nested too deeply to write down is named instead."""
    assert show(deep(100_000)) == "list nested too deeply to show"


@given(json_values, st.integers(1, 300))
def test_show_is_bounded_text(value: object, limit: int) -> None:
    """Whatever is shown fits the limit and can be written to any file."""
    shown = show(value, limit)
    assert len(shown) <= limit
    assert shown.encode()


@given(json_values)
def test_show_is_json(value: object) -> None:
    """What is shown in full can be read back, apart from what JSON has no word for."""
    text = show(value, 10_000)
    read: Callable[[str], object] = json.loads
    assert show(read(text), 10_000) == text
