from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from postdeploy.config import is_suite, load_suite, load_suites
from postdeploy.config.selection import JsonPath
from postdeploy.domain.check import Check, HttpProbe, Kind, Repeat, Save, TlsProbe, When
from postdeploy.domain.policy import Severity
from postdeploy.domain.target import Location, Target
from postdeploy.errors import ConfigurationError

Checks = Callable[[str], tuple[Check, ...]]
Problems = Callable[[str], list[str]]

DESIGN = """\
checks:
  - name: API is healthy
    get: api:/healthz
    expect: {status: 200, json: {$.status: ok, $.db: {in: [ok, degraded]}},
             header: {cache-control: {contains: no-store}}, within: 500ms}
  - name: protected routes ask for credentials
    get: api:/conversations
    expect: {status: 401}
  - name: a conversation survives a round trip
    severity: major
    steps:
      - post: api:/conversations
        auth: bearer ${secrets.api_token}
        json: {theme: kakao}
        expect: {status: 201}
        save: {id: $.data.id}
      - get: api:/conversations/${id}
        expect: {json: {$.data.theme: kakao}}
    finally:
      - delete: api:/conversations/${id}
  - name: certificate
    tls: web
    expect: {days_left: {ge: 21}, trusted: true}
  - name: the editor loads
    page: web:/
    expect: {title: {contains: TalkStudio}, visible: ["role=button[name='PNG 저장']"], console: clean, requests: clean}
"""


def check(text: str) -> str:
    """A suite with one check that has a name; the text begins in line 3, column 5."""
    return "checks:\n  - name: c\n    " + text.replace("\n", "\n    ") + "\n"


def test_the_suite_of_the_design(checks: Checks) -> None:
    """Ids, kinds, severities and places of five checks."""
    found = checks(DESIGN)
    assert [each.id for each in found] == [f"suites/api.yaml::{each.name}" for each in found]
    assert [each.kind for each in found] == [Kind.HEALTH, Kind.API, Kind.API, Kind.HEALTH, Kind.UI]
    assert [each.severity for each in found][1:3] == [Severity.CRITICAL, Severity.MAJOR]
    assert [(each.line, each.column) for each in found] == [(2, 5), (6, 5), (9, 5), (21, 5), (24, 5)]


def test_a_round_trip_saves_and_cleans_up(checks: Checks) -> None:
    """Steps keep their order, what they save, and where they stand; cleaning up needs no expectation."""
    trip = checks(DESIGN)[2]
    post, get = trip.steps
    assert post.probe == HttpProbe(
        "POST",
        Location("api", "/conversations"),
        json={"theme": "kakao"},
        has_json=True,
        auth="Bearer ${secrets.api_token}",
    )
    assert post.save == (Save("id", JsonPath("$.data.id")),)
    assert (get.line, get.column, get.templated) == (17, 9, True)
    assert get.probe.service == "api"
    assert [step.probe for step in trip.cleanup] == [HttpProbe("DELETE", Location("api", "/conversations/${id}"))]
    assert trip.cleanup[0].expectations == ()
    assert trip.writes


def test_every_key_of_a_check(checks: Checks) -> None:
    """Everything that a check may say about itself."""
    (found,) = checks(
        check(
            "id: login-1\nkind: api\nseverity: minor\nowner: 7\nrunbook: https://wiki.test/x\ntags: [a, b]\n"
            "issue: https://bugs.test/7\n"
            "when: {target: [staging], not: production}\nrepeat: {times: 10, pass: 9}\nrepeatable: true\n"
            "timeout: 3s\ntls: web\nexpect: {trusted: true}"
        )
    )
    assert found == Check(
        id="login-1",
        name="c",
        kind=Kind.API,
        path="suites/api.yaml",
        line=2,
        column=5,
        steps=found.steps,
        severity=Severity.MINOR,
        owner="7",
        runbook="https://wiki.test/x",
        issues=("https://bugs.test/7",),
        tags=("a", "b"),
        when=When(frozenset({"staging"}), frozenset({"production"})),
        repeat=Repeat(10, 9),
        repeatable=True,
    )
    assert found.steps[0].probe == TlsProbe("web")
    assert found.steps[0].timeout == 3.0


def test_defaults_hold_where_a_check_says_nothing(checks: Checks) -> None:
    """What a check says replaces the default, lists too; a step's own time limit is the nearest."""
    first, second = checks(
        """\
name: smoke
defaults: {severity: minor, owner: web, runbook: r, tags: x, kind: ui, timeout: 2s}
checks:
  - {name: a, tls: web, expect: {trusted: true}}
  - name: b
    severity: major
    tags: [y, z]
    timeout: 3s
    steps:
      - {tls: web, timeout: 4s, expect: {trusted: true}}
      - {dns: web}
"""
    )
    assert (first.severity, first.owner, first.runbook, first.tags) == (Severity.MINOR, "web", "r", ("x",))
    assert (first.kind, first.steps[0].timeout) == (Kind.UI, 2.0)
    assert (second.severity, second.tags) == (Severity.MAJOR, ("y", "z"))
    assert [step.timeout for step in second.steps] == [4.0, 3.0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("get: web:/healthz?x=1\nexpect: {status: 200}", Kind.HEALTH),
        ("get: web:/a/build-info.json\nexpect: {status: 200}", Kind.HEALTH),
        ("post: web:/healthz\nexpect: {status: 200}", Kind.API),
        ("get: web:/healthy\nexpect: {status: 200}", Kind.API),
        ("dns: web\nexpect: {within: 1s}", Kind.HEALTH),
        ("tcp: web:443\nexpect: {connected: true}", Kind.HEALTH),
        ("websocket: web:/ws\nexpect: {connected: true}", Kind.API),
        ("steps:\n  - {get: web:/a, expect: {status: 200}}\n  - {page: web:/}", Kind.UI),
        ("steps:\n  - {get: web:/readyz, expect: {status: 200}}\n  - {tls: web}", Kind.HEALTH),
    ],
)
def test_the_kind_follows_from_what_a_check_does(checks: Checks, text: str, kind: Kind) -> None:
    """Pages are ui, looking at certificates, names, ports and health places is health, the rest is api."""
    assert checks(check(text))[0].kind is kind


def test_a_suite_called_health_is_about_health(tmp_path: Path, target: Target) -> None:
    """The name of the file decides for what could be anything."""
    path = tmp_path / "health.yaml"
    path.write_text(check("get: web:/\nexpect: {status: 200}"))
    assert load_suite(path, tmp_path, target)[0].kind is Kind.HEALTH


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("staging", When(frozenset({"staging"}))),
        ("[staging, production]", When(frozenset({"staging", "production"}))),
        ("{not: production}", When(frozenset(), frozenset({"production"}))),
    ],
)
def test_when_names_targets(checks: Checks, text: str, when: When) -> None:
    """A name, a list of names, or a mapping."""
    assert checks(check(f"when: {text}\ntls: web\nexpect: {{trusted: true}}"))[0].when == when


def test_a_check_for_another_target_may_name_its_services_and_secrets(checks: Checks) -> None:
    """What does not run here is not held against what is here."""
    text = "when: production\nget: admin:/\nauth: bearer ${secrets.admin}\nexpect: {status: 200}"
    assert checks(check(text))[0].services == ("admin",)


def test_repeating_all_is_the_default(checks: Checks) -> None:
    """Whoever asks for ten times means ten passes."""
    assert checks(check("repeat: {times: 10}\ntls: web\nexpect: {trusted: true}"))[0].repeat == Repeat(10, 10)


VERBS = "get, post, put, patch, delete, head, tls, dns, tcp, page, websocket or steps"
MISTAKES: list[tuple[str, list[str]]] = [
    ("tls: web", ["2:5: the check expects nothing (add 'expect')"]),
    ("page: web:/", ["2:5: the check expects nothing (add 'expect')"]),
    (
        "page: web:/\nexpect: {console: any, requests: any}",
        ["2:5: the check expects nothing (add an expectation beside 'any')"],
    ),
    ("steps: [{tls: web}]", ["3:5: the check expects nothing (add 'expect' to one of its steps)"]),
    ("tls: web\nexpect: ~", ["4:13: 'expect' takes a mapping, not nothing"]),
    ("expect: {status: 200}", [f"2:5: nothing to do (add one of {VERBS})"]),
    ("gte: web:/\nexpect: {status: 200}", ["3:5: unknown key 'gte' (did you mean 'get'?)"]),
    ("tls: web\nexpct: {trusted: true}", ["4:5: unknown key 'expct' (did you mean 'expect'?)"]),
    (
        "get: web:/\npost: web:/\nexpect: {status: 200}",
        ["4:5: 'get' and 'post' in one step (each takes a step of its own under 'steps')"],
    ),
    (
        "steps: [{get: wbe:/, expect: {status: 200}, save: {id: $.id}}]",
        ["3:19: 'get' names the service 'wbe', which target 'staging' does not have (did you mean 'web'?)"],
    ),
    (
        "steps: [{gte: web:/, expect: {status: 200}}, {tls: web}]",
        ["3:14: unknown key 'gte' (did you mean 'get'?)"],
    ),
    ("steps: tls", ["3:12: 'steps' takes a list of steps, not 'tls' (begin each step with '- ')"]),
    ("steps: []", ["3:12: 'steps' takes a list of steps, not an empty list (begin each step with '- ')"]),
    (
        "steps: [tls]",
        [
            "3:5: the check expects nothing (add 'expect' to one of its steps)",
            "3:13: a step takes a mapping, not 'tls'",
        ],
    ),
    (
        "steps:\n  - {expect: {status: 200}}",
        [f"4:9: nothing to do (add one of {VERBS.replace(', websocket or steps', ' or websocket')})"],
    ),
    (
        "tls: web\nexpect: {trusted: true}\nfinally: 5",
        ["5:14: 'finally' takes a list of steps, not '5' (begin each step with '- ')"],
    ),
    (
        "tls: web\nexpect: {trusted: true}\nid: a b",
        ["5:9: 'id' takes an id, not 'a b' (use letters, digits and . _ : / -)"],
    ),
    (
        "tls: web\nexpect: {trusted: true}\nissue: see 7",
        ["5:12: 'issue' takes the URL of an issue, not 'see 7' (such as https://github.com/acme/shop/issues/7)"],
    ),
    (
        "tls: web\nexpect: {trusted: true}\nseverity: hgih",
        ["5:15: 'severity' takes critical, major or minor, not 'hgih'"],
    ),
    ("tls: web\nexpect: {trusted: true}\nowner:", ["5:11: 'owner' takes a text, not nothing"]),
    ("tls: web\nexpect: {trusted: true}\nowner: ' '", ["5:12: 'owner' is empty (write a text)"]),
    (
        "tls: web\nexpect: {trusted: true}\nwhen: prodution",
        ["5:11: 'when' names the target 'prodution', which targets.yaml does not have (did you mean 'production'?)"],
    ),
    (
        "tls: web\nexpect: {trusted: true}\nwhen: {targt: staging}",
        ["5:12: unknown key 'targt' (did you mean 'target'?)"],
    ),
    (
        "tls: web\nexpect: {trusted: true}\nwhen: {}",
        ["5:11: 'when' names no target (write a name, a list of names, or {not: name})"],
    ),
    ("tls: web\nexpect: {trusted: true}\nrepeat: {times: 2, pass: 3}", ["5:13: 'repeat' asks for 3 passes out of 2"]),
    ("tls: web\nexpect: {trusted: true}\nrepeat: {pass: 1}", ["5:5: 'times' is missing (add 'times:')"]),
    ("tls: web\nexpect: {trusted: true}\nrepeatable: yes", ["5:17: 'repeatable' takes true or false, not 'yes'"]),
]


@pytest.mark.parametrize(("text", "messages"), MISTAKES)
def test_mistakes_in_a_check(problems: Problems, text: str, messages: list[str]) -> None:
    """One message for one mistake: where, what, the rule, the way out."""
    assert problems(check(text)) == messages


def test_a_key_of_a_step_beside_steps(problems: Problems) -> None:
    """What belongs to one of several steps cannot stand beside them."""
    (message,) = problems(check("steps: [{tls: web, expect: {trusted: true}}]\nheaders: {a: b}"))
    assert message.startswith("4:5: 'headers' belongs to one of the steps (known: name, id,")


def test_a_key_of_another_probe(problems: Problems) -> None:
    """A known key in the wrong place is not called unknown."""
    (message,) = problems(check("steps: [{tls: web, json: 1, expect: {trusted: true}}]"))
    assert message == "3:24: 'json' does not go with 'tls' (known: tls, expect, timeout)"
    (message,) = problems(check("get: web:/\nsend: x\nexpect: {status: 200}"))
    assert message.startswith("4:5: 'send' does not go with 'get'")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            "checks: []\n",
            ["1:9: 'checks' takes a list with at least one check, not an empty list (begin each with '- name:')"],
        ),
        (
            "checks: {}\n",
            ["1:9: 'checks' takes a list with at least one check, not an empty mapping (begin each with '- name:')"],
        ),
        ("cheks: []\n", ["1:1: unknown key 'cheks' (did you mean 'checks'?)"]),
        ("name: x\n", ["1:1: 'checks' is missing (add 'checks:')"]),
        ("checks: [5]\n", ["1:10: a check takes a mapping, not '5'"]),
        (
            "checks: [{tls: web, expect: {trusted: true}}]\n",
            ["1:10: 'name' is missing (add 'name:')"],
        ),
        (
            'defaults: {severty: x}\nchecks: [{name: "a\\u202e", tls: web, expect: {trusted: true}}]\n',
            [
                "1:12: unknown key 'severty' (did you mean 'severity'?)",
                "2:17: 'name' holds the invisible character U+202E (remove it)",
            ],
        ),
    ],
)
def test_mistakes_around_the_checks(problems: Problems, text: str, messages: list[str]) -> None:
    """The top of a suite, its defaults, and names."""
    assert problems(text) == messages


def test_names_are_unique_in_a_file(problems: Problems) -> None:
    """Two checks of one name would be one in every report."""
    text = (
        "checks:\n  - {name: a, tls: web, expect: {trusted: true}}\n  - {name: a, tls: api, expect: {trusted: true}}\n"
    )
    assert problems(text) == [
        "3:5: duplicate check 'suites/api.yaml::a' (first at suites/api.yaml:2:5; give it another name, or an 'id')"
    ]


def test_all_files_are_judged_at_once(tmp_path: Path, target: Target) -> None:
    """Problems of all files come together, by file and position; an id that two files use names both."""
    good = "checks: [{name: a, id: x, tls: web, expect: {trusted: true}}]\n"
    for name, text in (("b.yaml", good), ("a.yaml", good), ("c.yaml", "checks: 1\n")):
        (tmp_path / name).write_text(text)
    paths = [tmp_path / name for name in ("b.yaml", "a.yaml", "b.yaml", "c.yaml", "d.yaml")]
    with pytest.raises(ConfigurationError) as caught:
        load_suites(paths, tmp_path, target)
    assert str(caught.value).splitlines() == [
        "a.yaml:1:10: duplicate check 'x' (first at b.yaml:1:10; give it another name, or an 'id')",
        "c.yaml:1:9: 'checks' takes a list with at least one check, not '1' (begin each with '- name:')",
        "d.yaml: no such file",
    ]


def test_an_alias_is_all_that_is_said(problems: Problems) -> None:
    """What an alias stands for is not guessed, so nothing else is complained about."""
    text = "checks:\n  - *a\n  - name: *b\n    tls: web\n    expect: {trusted: *c, names: {any: *d}}\n"
    assert [message.split(" ")[1] for message in problems(text)] == ["alias"] * 4


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.yaml", "checks:\n", True),
        ("a.yml", "\ufeffname: x\n'checks' : []\n", True),
        ("a.yaml", "{checks: []}\n", True),
        ("a.yaml", "cheks:\n", True),
        ("a.yaml", "# checks:\nother:\n  checks: 1\n", False),
        ("a.yaml", "on: push\njobs: {}\n", False),
        ("a.yaml", "- name: a\n  get: web:/\n  expect: {status: 200}\n", True),
        ("a.yaml", "- name: a\n  page: web:/\n", True),
        ("a.yaml", "- name: a\n  hosts: all\n  tasks: []\n", False),
        ("a.yaml", "hooks:\n- name: a\n  get: web:/\n", False),
        ("a.yaml", "", False),
        ("a.json", "checks:\n", False),
        ("a.txt", "checks:\n", False),
    ],
)
def test_which_files_are_suites(tmp_path: Path, name: str, text: str, expected: bool) -> None:
    """YAML with a top-level key checks; a mistyped or a forgotten one counts, lest it be passed by in silence."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert is_suite(path) is expected


def test_a_file_that_cannot_be_read_is_no_suite(tmp_path: Path) -> None:
    """Looking never raises."""
    assert is_suite(tmp_path / "none.yaml") is False


def test_garbage_collection_is_left_as_it_was(checks: Checks, problems: Problems) -> None:
    """It rests while suites are read, whatever comes of it."""
    import gc

    assert gc.isenabled()
    checks(DESIGN)
    problems("checks: 1")
    assert gc.isenabled()
    gc.disable()
    try:
        checks(DESIGN)
        assert not gc.isenabled()
    finally:
        gc.enable()
