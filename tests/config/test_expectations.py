from __future__ import annotations

from collections.abc import Callable

import pytest

from postdeploy.config.expectations import EXPECT
from postdeploy.config.selection import JsonPath
from postdeploy.domain.check import Check, PageProbe, TcpProbe
from postdeploy.domain.expectation import Expectation
from postdeploy.domain.matcher import Matcher
from postdeploy.domain.observation import SUBJECTS
from postdeploy.domain.target import Location

Checks = Callable[[str], tuple[Check, ...]]
Problems = Callable[[str], list[str]]
Expected = tuple[str, str | None, Matcher]

CLEAN = Matcher.of({"length": {"eq": 0}})


def suite(probe: str, expect: str) -> str:
    """A suite whose expectations begin in line 4, column 13."""
    return f"checks:\n  - name: c\n    {probe}\n    expect: {expect}\n"


def told(expectation: Expectation) -> Expected:
    """What an expectation says, without its place."""
    argument = expectation.selector.text if expectation.selector else expectation.argument
    return expectation.subject, argument, expectation.matcher


def test_every_word_of_the_observations_can_be_expected() -> None:
    """The words under expect are exactly those that the probes' observations answer."""
    assert {kind: set(shape.fields) for kind, shape in EXPECT.items()} == {
        kind: set(words) for kind, words in SUBJECTS.items()
    }


EXAMPLES: list[tuple[str, str, list[Expected]]] = [
    ("get: web:/", "{status: 200}", [("status", None, Matcher("eq", 200))]),
    ("get: web:/", "{status: {in: [200, 204]}}", [("status", None, Matcher("in", (200, 204)))]),
    ("get: web:/", "{status: '${code}'}", []),
    ("get: web:/", "{within: 500ms}", [("within", None, Matcher("le", 0.5))]),
    ("get: web:/", "{body: 1.10}", [("body", None, Matcher("eq", "1.10"))]),
    ("get: web:/", "{http_version: 2}", [("http_version", None, Matcher("eq", "2"))]),
    ("get: web:/", "{body: {contains: 1.10}}", [("body", None, Matcher("contains", "1.10"))]),
    ("get: web:/", "{body: {in: [1.10, NO]}}", [("body", None, Matcher("in", ("1.10", "NO")))]),
    ("get: web:/", "{body: {length: {gt: 10}}}", [("body", None, Matcher("length", Matcher("gt", 10)))]),
    ("get: web:/", "{header: {X-Count: 5}}", [("header", "x-count", Matcher("eq", "5"))]),
    ("get: web:/", "{header: {x: {not: {matches: a+}}}}", [("header", "x", Matcher("not", Matcher("matches", "a+")))]),
    (
        "get: web:/",
        "{json: {$.a: 1.5, $.b: ~, $.c: [1, {d: e}], $.f: {eq: {g: true}}}}",
        [
            ("json", "$.a", Matcher("eq", 1.5)),
            ("json", "$.b", Matcher("eq", None)),
            ("json", "$.c", Matcher("eq", [1, {"d": "e"}])),
            ("json", "$.f", Matcher("eq", {"g": True})),
        ],
    ),
    (
        "get: web:/",
        "{json: {$..id: {each: {type: integer, ge: 1}}}}",
        [("json", "$..id", Matcher("each", Matcher("all", (Matcher("type", "integer"), Matcher("ge", 1)))))],
    ),
    (
        "get: web:/",
        "{json: {$.a: {any: [1, {exists: false}]}, $.b: {contains: {eq: 1}}, $.c: {all: [{lt: b}, {ne: a}]}}}",
        [
            ("json", "$.a", Matcher("any", (Matcher("eq", 1), Matcher("exists", operand=False)))),
            ("json", "$.b", Matcher("contains", Matcher("eq", 1))),
            ("json", "$.c", Matcher("all", (Matcher("lt", "b"), Matcher("ne", "a")))),
        ],
    ),
    (
        "tls: web",
        "{days_left: {ge: 21}, trusted: true}",
        [("days_left", None, Matcher("ge", 21)), ("trusted", None, Matcher("eq", operand=True))],
    ),
    ("tls: web", "{names: {contains: x.test}}", [("names", None, Matcher("contains", "x.test"))]),
    (
        "tls: web",
        "{names: {contains: {ends_with: .test}}}",
        [("names", None, Matcher("contains", Matcher("ends_with", ".test")))],
    ),
    ("tls: web", "{names: [a, 5]}", [("names", None, Matcher("eq", ["a", "5"]))]),
    (
        "dns: web",
        "{addresses: {length: {ge: 1}, each: {starts_with: 10.}}}",
        [
            (
                "addresses",
                None,
                Matcher("all", (Matcher("length", Matcher("ge", 1)), Matcher("each", Matcher("starts_with", "10.")))),
            )
        ],
    ),
    (
        "tcp: web",
        "{connected: true, banner: {starts_with: SSH}}",
        [("connected", None, Matcher("eq", operand=True)), ("banner", None, Matcher("starts_with", "SSH"))],
    ),
    (
        "websocket: web:/ws",
        "{json: {$.type: ready}, messages: {length: 2}}",
        [("json", "$.type", Matcher("eq", "ready")), ("messages", None, Matcher("length", Matcher("eq", 2)))],
    ),
]


@pytest.mark.parametrize(("probe", "expect", "expected"), [row for row in EXAMPLES if row[2]])
def test_expectations(checks: Checks, probe: str, expect: str, expected: list[Expected]) -> None:
    """A plain value means equals; a mapping of words means each of them; text words keep what is written."""
    (step,) = checks(suite(probe, expect))[0].steps
    assert [told(each) for each in step.expectations] == expected


def test_an_expectation_knows_its_place(checks: Checks) -> None:
    """It stands where its own key stands: the path of JSON, the name of a header, the selector in a list."""
    (http,) = checks(suite("get: web:/", "{status: 200, json: {$.a: 1}, header: {b: c}}"))[0].steps
    assert [(each.line, each.column) for each in http.expectations] == [(4, 14), (4, 34), (4, 52)]
    (page,) = checks(suite("page: web:/", "{visible: [a, b], console: any, requests: any}"))[0].steps
    assert [(each.line, each.column) for each in page.expectations] == [(4, 24), (4, 27)]


def test_a_page_must_be_clean_unless_it_says_otherwise(checks: Checks) -> None:
    """No console errors and no failed requests are implied; cleaning up by a page implies nothing."""
    text = suite("page: web:/", "{status: 200}") + "    finally: [{page: web:/}]\n"
    (found,) = checks(text)
    (step,) = found.steps
    assert [told(each) for each in step.expectations] == [
        ("status", None, Matcher("eq", 200)),
        ("console", None, CLEAN),
        ("requests", None, CLEAN),
    ]
    assert (step.expectations[1].line, step.expectations[1].column) == (2, 5)
    assert found.cleanup[0].expectations == ()


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ("{console: clean, requests: any}", [("console", None, CLEAN)]),
        (
            "{console: any, requests: {allow: [favicon, 'ads?']}}",
            [
                (
                    "requests",
                    None,
                    Matcher("each", Matcher("any", (Matcher("matches", "favicon"), Matcher("matches", "ads?")))),
                )
            ],
        ),
    ],
)
def test_what_a_page_may_do_wrong(checks: Checks, expect: str, expected: list[Expected]) -> None:
    """Nothing, anything, or what certain patterns find."""
    (step,) = checks(suite("page: web:/", expect))[0].steps
    assert [told(each) for each in step.expectations] == expected


def test_a_page_is_asked_for_elements_and_texts(checks: Checks) -> None:
    """The probe knows every selector once, for what is seen and for what is read."""
    expect = "{visible: [h1, nav], hidden: [h1, .error], text: {h1: Welcome, main: {contains: 5}}}"
    (step,) = checks(suite("page: web:/", expect))[0].steps
    assert step.probe == PageProbe(Location("web", "/"), ("h1", "nav", ".error"), ("h1", "main"))
    assert [told(each) for each in step.expectations][:6] == [
        ("visible", "h1", Matcher("eq", operand=True)),
        ("visible", "nav", Matcher("eq", operand=True)),
        ("hidden", "h1", Matcher("eq", operand=False)),
        ("hidden", ".error", Matcher("eq", operand=False)),
        ("text", "h1", Matcher("eq", "Welcome")),
        ("text", "main", Matcher("contains", "5")),
    ]


@pytest.mark.parametrize(("text", "word"), [("Welcome", "eq"), ("{contains: Welcome}", "contains")])
def test_the_text_of_a_whole_page(checks: Checks, text: str, word: str) -> None:
    """A value or a matcher is about the page; a mapping of anything else is about elements."""
    (step,) = checks(suite("page: web:/", f"{{text: {text}}}"))[0].steps
    assert told(step.expectations[0]) == ("text", None, Matcher(word, "Welcome"))
    assert isinstance(step.probe, PageProbe)
    assert step.probe.texts == ()


def test_one_selector_needs_no_list(checks: Checks) -> None:
    """A single text stands for a list of one."""
    (step,) = checks(suite("page: web:/", "{visible: h1}"))[0].steps
    assert told(step.expectations[0])[1] == "h1"


def test_expecting_a_banner_makes_the_probe_wait_for_it(checks: Checks) -> None:
    """Only then it is worth the wait."""
    assert checks(suite("tcp: web:22", "{banner: {exists: true}}"))[0].steps[0].probe == TcpProbe(
        "web", 22, banner=True
    )
    assert checks(suite("tcp: web", "{connected: true}"))[0].steps[0].probe == TcpProbe("web")


def test_placeholders_stand_for_numbers(checks: Checks) -> None:
    """A number may come from an earlier answer."""
    text = "checks: [{name: c, get: web:/, expect: {status: '${target}', redirects: {le: '${target}'}}}]"
    (step,) = checks(text)[0].steps
    assert [each.matcher.operand for each in step.expectations] == ["${target}", "${target}"]


TEXTS = " (use eq, ne, in, contains, exists, type, length, each, any, all or not)"
PATTERN = "'matches' takes a regular expression: missing ), unterminated subpattern at position 0"
WORDS = (
    "eq, ne, lt, le, gt, ge, in, contains, matches, starts_with, ends_with, exists, type, length, each, any, all, not"
)
MISTAKES: list[tuple[str, str, str]] = [
    (
        "get: web:/",
        "{}",
        "13: 'expect' expects nothing (known: status, json, body, header, within, url, redirects, http_version)",
    ),
    ("get: web:/", "200", "13: 'expect' takes a mapping, not '200'"),
    ("get: web:/", "{staus: 200}", "14: unknown key 'staus' (did you mean 'status'?)"),
    ("get: web:/", "{status: '200'}", "22: 'status' takes a number, not '200' (write it without quotes)"),
    ("get: web:/", "{status: yes}", "22: 'status' takes a number, not 'yes'"),
    (
        "get: web:/",
        "{status: {}}",
        "22: 'status' expects nothing: its mapping is empty (write a value, or a matcher such as {exists: true})",
    ),
    ("get: web:/", "{status: {ge: x}}", "27: 'ge' takes a number, not 'x'"),
    ("get: web:/", "{status: {in: []}}", "27: 'in' takes a list with at least one value"),
    ("get: web:/", "{status: {in: 200}}", "27: 'in' takes a list with at least one value"),
    ("get: web:/", "{status: {in: [a]}}", "27: 'in' takes a number, not 'a'"),
    (
        "get: web:/",
        "{status: {matches: '2..'}}",
        "23: 'matches' is not about a number (use eq, ne, lt, le, gt, ge, in, exists, type, any, all or not)",
    ),
    ("get: web:/", "{status: {eqq: 1}}", "23: unknown matcher 'eqq' (did you mean 'eq'?)"),
    ("get: web:/", "{body: {lt: 5}}", "25: 'lt' orders texts here, not '5' (put it in quotes, or use 'matches')"),
    ("get: web:/", "{body: {contains: {eq: x}}}", "31: 'contains' takes a text, not a mapping"),
    ("get: web:/", "{body: {contains: ''}}", "31: 'contains' takes a text that is not empty"),
    (
        "get: web:/",
        "{body: {matches: '('}}",
        f"30: {PATTERN}",
    ),
    (
        "get: web:/",
        "{body: {matches: 'a{99999999999999999999}'}}",
        "30: 'matches' takes a simpler regular expression than this one",
    ),
    ("get: web:/", "{body: {exists: yes}}", "29: 'exists' takes true or false"),
    (
        "get: web:/",
        "{body: {type: text}}",
        "27: 'type' takes one of string, number, integer, boolean, object, array, null",
    ),
    ("get: web:/", "{body: {any: 5}}", "26: 'any' takes a list of matchers"),
    (
        "get: web:/",
        "{body: {not: {}}}",
        "26: 'not' expects nothing: its mapping is empty (write a value, or a matcher such as {exists: true})",
    ),
    ("get: web:/", "{body: ~}", "20: 'body' takes a text, not nothing"),
    (
        "get: web:/",
        "{json: {}}",
        "20: 'json' takes a mapping of JSON paths, not an empty mapping (write it like {$.status: ok})",
    ),
    ("get: web:/", "{json: ok}", "20: 'json' takes a mapping of JSON paths, not 'ok' (write it like {$.status: ok})"),
    (
        "get: web:/",
        "{json: {status: ok}}",
        "21: 'status' is no JSON path: expected '$', found 's' (did you mean '$.status'?)",
    ),
    (
        "get: web:/",
        "{json: {$.a: {b: c}}}",
        f"27: unknown matcher 'b' (known: {WORDS}; for an equal mapping write {{eq: {{…}}}})",
    ),
    (
        "get: web:/",
        "{json: {$.a: {}}}",
        "21: '$.a' expects nothing: its mapping is empty (write a value, or a matcher such as {exists: true})",
    ),
    ("get: web:/", "{json: {$.a: {gt: true}}}", "31: 'gt' takes a number or a text"),
    ("get: web:/", "{header: {}}", "22: 'header' names no header (write it like {content-type: {contains: json}})"),
    ("get: web:/", "{header: {a b: c}}", "23: 'a b' is no name of a header (letters, digits and '-')"),
    ("get: web:/", "{header: {a: [b]}}", "23: 'a' takes a text, not a list"),
    (
        "get: web:/",
        "{within: {le: 3}}",
        "22: 'within' takes a duration, not a mapping (write it like 500ms, 3s, 5m, 1h or a number of seconds)",
    ),
    ("tls: web", "{trusted: 1}", "23: 'trusted' takes true or false, not '1'"),
    (
        "tls: web",
        "{names: x.test}",
        "21: 'names' takes a list of texts, not 'x.test' (write {contains: …} if one of them is meant)",
    ),
    (
        "tls: web",
        "{names: {starts_with: x}}",
        "22: 'starts_with' is not about a list of texts" + TEXTS,
    ),
    ("page: web:/", "{visible: []}", "23: 'visible' takes a list with at least one item, not an empty list"),
    ("page: web:/", "{visible: [[a]]}", "24: each item here takes a text, not a list"),
    ("page: web:/", "{console: dirty}", "23: 'console' takes clean, any or {allow: [patterns]}, not 'dirty'"),
    ("page: web:/", "{console: {alow: [a]}}", "24: unknown key 'alow' (did you mean 'allow'?)"),
    (
        "page: web:/",
        "{console: {allow: ['(']}}",
        f"32: each item here cannot be read: {PATTERN}",
    ),
    ("page: web:/", "{text: {contians: a}}", "21: unknown matcher 'contians' (did you mean 'contains'?)"),
    ("page: web:/", "{text: {h1: [a]}}", "25: 'h1' takes a text, not a list"),
    (
        "page: web:/",
        "{text: {}}",
        "20: 'text' expects nothing: its mapping is empty (write a value, or a matcher such as {exists: true})",
    ),
]


@pytest.mark.parametrize(("probe", "expect", "message"), MISTAKES)
def test_mistakes_in_expectations(problems: Problems, probe: str, expect: str, message: str) -> None:
    """Each is told once, at the word that is wrong, with the way out."""
    assert problems(suite(probe, expect)) == [f"4:{message}"]


def test_every_mistake_of_a_matcher_is_told(problems: Problems) -> None:
    """Reading goes on behind a mistake, in every branch."""
    found = problems(suite("get: web:/", "{json: {$.a: {any: [{eqq: 1}, {gt: {}}], lt: [], not: {matches: '['}}}}"))
    assert len(found) == 4


def test_a_path_that_picks_many_values_is_fine_here(checks: Checks) -> None:
    """The matcher then sees a list."""
    (step,) = checks(suite("get: web:/", "{json: {'$.items[*].id': {length: {ge: 1}}}}"))[0].steps
    assert step.expectations[0].selector == JsonPath("$.items[*].id")
