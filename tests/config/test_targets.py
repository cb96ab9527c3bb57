from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from postdeploy.config import target_names
from postdeploy.config.selection import JsonPath
from postdeploy.domain.policy import Confirmation, OnFailure, Policy, Severity
from postdeploy.domain.target import AccessMode, Budget, Location, ReleaseSource, ReleaseWait, Server, Service, Target
from postdeploy.errors import ConfigurationError, SecretMissingError

Load = Callable[..., Target]
Problems = Callable[..., list[str]]

DESIGN = """\
targets:
  development:
    services: {web: http://127.0.0.1:5173, api: http://127.0.0.1:5173/api/v1}
    server: {command: [python, -m, demo, --port, "5173"], ready: "web:/healthz"}
    access: read-write
  staging:
    services: {web: https://staging.talkstudio.com, api: https://staging.talkstudio.com/api/v1}
    release: {from: "web:/build-info.json", json: "$.commit", within: 3m, consecutive: 5}
    secrets: {api_token: "${STAGING_API_TOKEN}"}
    access: read-write
  production:
    extends: staging
    services: {web: https://talkstudio.com, api: https://talkstudio.com/api/v1}
    secrets: {api_token: "${PRODUCTION_API_TOKEN}"}
    access: read-only            # enforced; writes need an entry here
    allow: ["POST api:/auth/login"]
    budget: {requests: 500, per_second: 10}
    policy: {deadline: 5m, on_inconclusive: hold, actions: {critical: rollback, major: hold, minor: warn}}
"""


def entry(text: str) -> str:
    """A file with one target, whose keys stand from line 3, column 5."""
    return "targets:\n  staging:\n    " + text.replace("\n", "\n    ") + "\n"


def with_service(text: str) -> str:
    """A file with one target that has a service web in line 3; the text begins in line 4."""
    return entry("services: {web: http://web.test}\n" + text)


def test_the_local_target_of_the_design(load: Load) -> None:
    """A server, two services and write access; all else is the default."""
    target = load(DESIGN, "development")
    assert target.services["api"] == Service("api", "http://127.0.0.1:5173/api/v1")
    command = ("python", "-m", "demo", "--port", "5173")
    assert target.server == Server(command, Location("web", "/healthz"))
    assert target.access.mode is AccessMode.READ_WRITE
    assert (target.release, target.budget, target.policy, dict(target.secrets)) == (None, Budget(), Policy(), {})


def test_the_derived_target_of_the_design(load: Load) -> None:
    """Production takes the release over from staging and says everything else by itself."""
    target = load(DESIGN, "production", PRODUCTION_API_TOKEN="tok-prod")
    assert target.url(Location("api", "/x")) == "https://talkstudio.com/api/v1/x"
    source = ReleaseSource(Location("web", "/build-info.json"), JsonPath("$.commit"))
    assert target.release == ReleaseWait((source,), within=180.0, consecutive=5)
    assert target.secrets["api_token"].reveal() == "tok-prod"
    assert target.access.mode is AccessMode.READ_ONLY
    assert [str(rule) for rule in target.access.allow] == ["POST api:/auth/login"]
    assert target.budget == Budget(requests=500, per_second=10.0)
    assert target.policy == Policy()


def test_every_key_of_a_target(load: Load) -> None:
    """Everything that may be said arrives where it belongs."""
    target = load(
        with_service(
            "server: {command: [run, 1], ready: 'web:/up', within: 1m, environment: {PORT: 80, MODE: 'a$$b'}}\n"
            "release: {from: ['web:/a', 'web:/b'], header: X-Release, within: 90, consecutive: 2, interval: 250ms}\n"
            "budget: {in_flight: 5, per_second: 0.5}\n"
            "policy: {deadline: 1h, confirm: {attempts: 3, spacing: 0.5s}, flaky: 0, actions: {major: rollback}}\n"
        )
    )
    environment = {"PORT": "80", "MODE": "a$b"}
    assert target.server == Server(("run", "1"), Location("web", "/up"), 60.0, environment)
    sources = (ReleaseSource(Location("web", "/a")), ReleaseSource(Location("web", "/b")))
    assert target.release == ReleaseWait(sources, "x-release", 90.0, 2, 0.25)
    assert target.budget == Budget(None, 0.5, 5)
    assert target.policy.confirm == Confirmation(3, 0.5)
    assert (target.policy.deadline, target.policy.flaky) == (3600.0, 0)
    assert target.policy.actions[Severity.MAJOR] is OnFailure.ROLLBACK
    assert target.policy.actions[Severity.CRITICAL] is OnFailure.ROLLBACK


def test_a_service_may_name_its_health(load: Load) -> None:
    """The long form of a service has a URL and a path that tells whether it is up."""
    target = load(entry("services: {web: {url: 'http://web.test/', health: /healthz}}"))
    assert target.services["web"] == Service("web", "http://web.test", "/healthz")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("HTTP://x.test", None),
        ("http://X.test:80/", "http://x.test:80"),
        ("https://x.test/api/v1//", "https://x.test/api/v1"),
        ("http://[::1]:5173/a", "http://[::1]:5173/a"),
        ("http://[::1]", "http://[::1]"),
        ("http://my_service:8080", "http://my_service:8080"),
        ("https://x.test/가", "https://x.test/%EA%B0%80"),
    ],
)
def test_urls_of_services(load: Load, target_problems: Problems, written: str, read: str | None) -> None:
    """Hosts become lower case, slashes at the end go, IPv6 and internal names are welcome."""
    text = entry(f"services: {{web: '{written}'}}")
    if read is None:
        assert target_problems(text) == ["3:21: 'web' must begin with http:// or https://"]
    else:
        assert load(text).services["web"].url == read


MISTAKES: list[tuple[str, str]] = [
    ("acess: read-only", "4:1: unknown key 'acess' (did you mean 'access'?)"),
    (
        "zzz: 1",
        (
            "4:1: unknown key 'zzz' (known: extends, services, server, release, control, maintenance, secrets, access, "
            "allow, deny, protected, third_party, connect, programs, budget, policy, notify, "
            "alerts, heartbeat)"
        ),
    ),
    ("access: readonly", "4:9: 'access' takes read-only or read-write, not 'readonly' (did you mean 'read-only'?)"),
    ("access: [a]", "4:9: 'access' takes read-only or read-write, not a list"),
    ("allow: [POST web:/x]\nextends: 5", "5:10: 'extends' takes the name of one target, not '5'"),
    ("allow: []", "4:8: 'allow' takes a list with at least one item, not an empty list"),
    ("allow: POST web:/x", "4:8: 'allow' takes a list with at least one item, not 'POST web:/x'"),
    (
        "allow: [web:/x]",
        "4:9: each item here takes a rule such as 'POST api:/auth/login', not 'web:/x' (METHOD service:/path)",
    ),
    ("allow: [GET web:/x]", "4:9: each item here allows GET, which is always allowed (remove the rule)"),
    (
        "allow: [BREW web:/x]",
        "4:9: each item here allows BREW, which no check sends (one of POST, PUT, PATCH, DELETE)",
    ),
    (
        "allow: ['POST web:/x?y']",
        "4:9: each item here holds '?', '[' or ']' in its path (a path with '*'; queries do not count)",
    ),
    (
        "allow: [POST wbe:/x]",
        "4:9: each item here names the service 'wbe', which target 'staging' does not have (did you mean 'web'?)",
    ),
    ("budget: {requests: 0}", "4:20: 'requests' takes a whole number from 1 to 10000000, not '0'"),
    ("budget: {requests: true}", "4:20: 'requests' takes a whole number from 1 to 10000000, not 'true'"),
    ("budget: {per_second: -1}", "4:22: 'per_second' takes a number above 0, not '-1'"),
    ("budget: 5", "4:9: 'budget' takes a mapping, not '5'"),
    (
        "policy: {on_inconclusive: rollback}",
        (
            "4:27: 'on_inconclusive' takes 'hold', not 'rollback'"
            " (what could not be told is never rolled back nor promoted)"
        ),
    ),
    ("policy: {actions: {critical: warn}}", "4:30: 'critical' takes rollback or hold, not 'warn'"),
    ("policy: {actions: {minor: promote}}", "4:27: 'minor' takes rollback, hold or warn, not 'promote'"),
    (
        "policy: {deadline: 5 min}",
        "4:20: 'deadline' takes a duration, not '5 min' (write it like 500ms, 3s, 5m, 1h or a number of seconds)",
    ),
    (
        "policy: {deadline: 0}",
        "4:20: 'deadline' takes a duration, not '0' (write it like 500ms, 3s, 5m, 1h or a number of seconds)",
    ),
    ("policy: {deadline: 25h}", "4:20: 'deadline' must be at most 24h, not '25h'"),
    ("release: {json: $.a}", "4:1: 'from' is missing (add 'from:')"),
    (
        "release: {from: 'web:/x', json: a.b}",
        "4:33: 'json' is no JSON path: expected '$', found 'a' (did you mean '$.a.b'?)",
    ),
    ("release: {from: 'web:/x', json: $..a}", "4:33: 'json' takes a JSON path that picks one value, not '$..a'"),
    ("release: {from: 'web:/x', header: 'a b'}", "4:35: 'header' is no name of a header (letters, digits and '-')"),
    (
        "release: {from: https://x.test/y}",
        (
            "4:17: 'from' takes a place such as 'api:/healthz', not 'https://x.test/y'"
            " (name a service of the target and a path, not a URL)"
        ),
    ),
    (
        "release: {from: /y}",
        "4:17: 'from' takes a place such as 'api:/healthz', not '/y' (name the service first, as in 'web:/path')",
    ),
    (
        "release: {from: web:y}",
        "4:17: 'from' takes a place such as 'api:/healthz', not 'web:y' (the path begins with '/': 'web:/y')",
    ),
    ("release: {from: web}", "4:17: 'from' takes a place such as 'api:/healthz', not 'web' (did you mean 'web:/'?)"),
    ("release: {from: '?'}", "4:17: 'from' takes a place such as 'api:/healthz', not '?'"),
    ("release: {from: ~}", "4:17: 'from' takes a text, not nothing"),
    ("server: {command: python, ready: 'web:/'}", "4:19: 'command' takes a list with at least one item, not 'python'"),
    ("server: {command: [a]}", "4:1: 'ready' is missing (add 'ready:')"),
    (
        "secrets: {token: abc}",
        (
            "4:18: 'token' is shorter than 8 characters"
            " (masking it would hide what is no secret: choose a longer, random value)"
        ),
    ),
    (
        "secrets: {token: Production}",
        "4:18: 'token' is a single word (masking it would hide what is no secret: choose a longer, random value)",
    ),
    (
        "secrets: {Token: a-12345-x}",
        "4:11: 'Token' is no name of a secret (begin with a letter; use a to z, 0 to 9 and _)",
    ),
    ("secrets: {token: [a]}", "4:18: 'token' takes a text, not a list"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes_in_a_target(target_problems: Problems, text: str, message: str) -> None:
    """Each message says where, what, the rule, and the way out."""
    line, column, rest = message.split(":", 2)
    found = target_problems(with_service(text))
    assert found == [f"{line}:{int(column) + 4}:{rest}"]


URL_MISTAKES: list[tuple[str, str]] = [
    ("ftp://x.test", "must begin with http:// or https://"),
    ("x.test", "must begin with http:// or https://"),
    ("https://", "names no host (write it like https://staging.example.com)"),
    ("https://:80", "names no host (write it like https://staging.example.com)"),
    ("https://x.test:99999", "has a port that is not a number from 1 to 65535"),
    ("https://x.test:0", "has a port that is not a number from 1 to 65535"),
    ("https://x.test:", "has a port that is not a number from 1 to 65535"),
    ("https://x.test:\uff18\uff10", "has a port that is not a number from 1 to 65535"),
    ("https://u:hunter2@x.test", "holds a user name or a password (put it in 'secrets' and send it with 'auth')"),
    ("https://x.test/?a=1", "holds a query or a fragment (end the URL after its path)"),
    ("https://x.test/#a", "holds a query or a fragment (end the URL after its path)"),
    ("https://x.test/a/../b", "holds '.' or '..' as a part of its path (write the path that is meant)"),
    ("https://x.test/a b", "holds ' ' in its path (write %20)"),
    ("https://exämple.test", "names a host that cannot be (write it in ASCII letters, digits, '.' and '-')"),
    ("https://-x.test", "names a host that cannot be (write it in ASCII letters, digits, '.' and '-')"),
    ("https://[::1", "is not a URL (write it like https://staging.example.com/api)"),
    ("https://x.test/\u202egnp", "holds the invisible character U+202E (remove it)"),
]


@pytest.mark.parametrize(("url", "message"), URL_MISTAKES)
def test_mistakes_in_urls(target_problems: Problems, url: str, message: str) -> None:
    """A URL that cannot be meant is refused, and never shown: it may hold a secret."""
    assert target_problems(entry(f"services: {{web: '{url}'}}")) == [f"3:21: 'web' {message}"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Web", "is no name of a service (begin with a letter; use a to z, 0 to 9 and _)"),
        ("web-api", "is no name of a service (begin with a letter; use a to z, 0 to 9 and _)"),
        ("page", "cannot be the name of a service (the word is taken; choose another one)"),
        ("import", "cannot be the name of a service (it is a word of Python; choose another one)"),
    ],
)
def test_names_of_services_become_fixtures(target_problems: Problems, name: str, message: str) -> None:
    """A service's name must be usable as the name of a fixture that nobody else has."""
    assert target_problems(entry(f"services: {{{name}: http://x.test}}")) == [f"3:16: '{name}' {message}"]


def test_a_target_needs_a_service(target_problems: Problems) -> None:
    """No services, an empty mapping, and something that is none."""
    way = "add one, such as"
    assert target_problems(entry("access: read-only")) == [
        f"2:3: 'services' is missing ({way} services: {{web: https://staging.example.com}})"
    ]
    assert target_problems(entry("services: {}")) == [
        f"3:15: 'services' names no service ({way} web: https://staging.example.com)"
    ]
    assert target_problems(entry("services: web")) == ["3:15: 'services' takes a mapping, not 'web'"]
    assert target_problems(entry("services: {web: {health: x}}")) == [
        "3:16: 'url' is missing (add 'url:')",
        "3:30: 'health' takes a path that begins with '/', not 'x'",
    ]


def test_mistyped_services_are_told_once(target_problems: Problems) -> None:
    """Neither that they are missing, nor that what names one of them names none, is said on top of it."""
    release = "release: {from: 'web:/version'}"
    assert target_problems(entry(f"servces: {{web: http://x.test}}\n{release}")) == [
        "3:5: unknown key 'servces' (did you mean 'services'?)"
    ]
    assert target_problems(entry(f"services: [http://x.test]\n{release}")) == [
        "3:15: 'services' takes a mapping, not a list"
    ]


def test_what_a_shell_would_fill_in_is_refused(target_problems: Problems) -> None:
    """A secret that is ``$NAME`` would be sent as it is, and look like a broken login."""
    secrets = "secrets: {token: $STAGING_TOKEN, other: $$STAGING_TOKEN, word: pa$$SWORD1}"
    assert target_problems(with_service(secrets)) == [
        "4:22: '$' and a name is no variable (write ${NAME}, or $$NAME for the characters themselves)"
    ]


def test_the_top_of_the_file(target_problems: Problems) -> None:
    """There is one key, and it holds at least one target."""
    assert target_problems("target: {}\n", "x") == ["1:1: unknown key 'target' (did you mean 'targets'?)"]
    assert target_problems("staging: {}\n", "x") == [
        "1:1: 'targets' is missing (add 'targets:' with at least one target)",
        "1:1: unknown key 'staging' (known: targets, history)",
    ]
    assert target_problems("", "x") == ["1:1: the file is empty (begin with 'targets:')"]
    assert target_problems("- staging\n", "x") == [
        "1:1: the file must hold a mapping at its top level (begin with a key such as 'targets:')"
    ]
    assert target_problems("targets: []\n") == [
        "1:10: 'targets' takes a mapping with at least one target, not an empty list"
    ]
    assert target_problems("targets: {'a b': {}, staging: 5}\n") == [
        "1:11: 'a b' is no name of a target (use letters, digits, '.', '_' and '-')",
        "1:31: 'staging' takes a mapping, not '5'",
    ]


def test_all_targets_are_judged_at_once(target_problems: Problems) -> None:
    """Choosing one target does not excuse the others, and everything comes in the order of the file."""
    text = "targets:\n  a: {services: {web: x}}\n  staging: {services: {web: http://x.test}, budet: {}}\n"
    assert [problem.split(": ")[0] for problem in target_problems(text)] == ["2:23", "3:45"]


def test_an_unknown_target_lists_the_known_ones(target_problems: Problems) -> None:
    """A mistyped name gets a suggestion; no name gets the option."""
    known = "known: development, staging, production"
    assert target_problems(DESIGN, "prodution") == [f" no target 'prodution'; {known} (did you mean 'production'?)"]
    assert target_problems(DESIGN, "qa") == [f" no target 'qa'; {known}"]
    assert target_problems(DESIGN, " ") == [f" no target was named; {known} (choose one with --target=NAME)"]


def test_a_file_that_is_not_there_names_the_way_out(tmp_path: Path) -> None:
    """The first run of a new project ends with what to do."""
    with pytest.raises(
        ConfigurationError, match=r"no such file \(write one, such as '.*', or name it with --targets\)"
    ):
        target_names(tmp_path / "targets.yaml")


def test_names_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Names are read without judging the entries."""
    path = tmp_path / "targets.yaml"
    path.write_text("targets: {b: {x: 1}, a: {}}")
    assert target_names(path) == ("b", "a")


EXTENDS: list[tuple[str, list[str]]] = [
    (
        "a: {extends: b}\n  b: {extends: a}",
        ["2:16: 'extends' goes in a circle: b → a → b (let one of them stand alone)"],
    ),
    ("a: {extends: a}", ["2:16: 'extends' goes in a circle: a → a (let one of them stand alone)"]),
    (
        "stagin: {services: {web: http://x.test}}\n  staging: {extends: stagng}",
        ["3:22: 'extends' names the target 'stagng', which is not here (did you mean 'staging'?)"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), EXTENDS)
def test_what_cannot_be_extended(target_problems: Problems, text: str, expected: list[str]) -> None:
    """Circles and unknown bases are named."""
    found = target_problems(f"targets:\n  {text}\n", text.partition(":")[0])
    assert found[0] == expected[0]


def test_extending_merges_mappings_and_replaces_lists(load: Load) -> None:
    """Over several levels: the nearest entry wins, key by key; a list is taken whole."""
    text = """\
targets:
  a:
    services: {web: http://a.test, api: http://api.test}
    allow: ["POST web:/a", "POST web:/b"]
    policy: {flaky: 1, confirm: {attempts: 5}}
  b: {extends: a, services: {web: http://b.test}, policy: {confirm: {spacing: 9s}}}
  c: {extends: b, allow: ["DELETE api:/c"], policy: {flaky: 2}}
"""
    target = load(text, "c")
    assert {name: service.url for name, service in target.services.items()} == {
        "web": "http://b.test",
        "api": "http://api.test",
    }
    assert [str(rule) for rule in target.access.allow] == ["DELETE api:/c"]
    assert (target.policy.flaky, target.policy.confirm) == (2, Confirmation(5, 9.0))


def test_a_mistake_of_a_base_is_told_once(target_problems: Problems) -> None:
    """Two targets that take over the same mistake do not double it."""
    text = "targets:\n  staging: {services: {web: x}}\n  b: {extends: staging}\n  c: {extends: staging}\n"
    assert target_problems(text) == ["2:29: 'web' must begin with http:// or https://"]


def test_an_anchor_in_extends_is_told_once(target_problems: Problems) -> None:
    """What an alias stood for is unknown, so nothing more is said about it."""
    text = (
        "targets:\n  staging: {services: {web: http://x.test}}\n  b: {extends: *staging, services: *x, allow: [*y]}\n"
    )
    assert len(target_problems(text)) == 3


def test_only_the_chosen_target_needs_its_variables(load: Load) -> None:
    """Nobody has the secrets of all targets at hand."""
    assert load(DESIGN, "staging", STAGING_API_TOKEN="abcd-123-x").name == "staging"


@pytest.mark.parametrize(("environment", "state"), [({}, "is not set"), ({"STAGING_API_TOKEN": ""}, "is empty")])
def test_a_missing_variable_is_its_own_error(load: Load, environment: dict[str, str], state: str) -> None:
    """It names the variable and its place; an empty one, as pipelines give for unknown secrets, is missing too."""
    with pytest.raises(SecretMissingError) as caught:
        load(DESIGN, "staging", **environment)
    assert str(caught.value) == (
        f"targets.yaml:9:26: variable 'STAGING_API_TOKEN' {state} (set it in the environment of this run)"
    )


def test_a_missing_variable_beside_other_mistakes(load: Load) -> None:
    """Then the error is the general one, with everything in it."""
    with pytest.raises(ConfigurationError) as caught:
        load(with_service("secrets: {a: '${A}'}\nacess: x"))
    assert type(caught.value) is ConfigurationError
    assert [problem.line for problem in caught.value.problems] == [4, 5]


def test_variables_stand_anywhere_in_texts(load: Load) -> None:
    """Hosts, ports and lists may come from the environment; values never become keys."""
    text = entry("services: {web: 'http://${HOST}:${PORT}/a'}\nserver: {command: ['${CMD}'], ready: 'web:/'}")
    target = load(text, HOST="pr-7.test", PORT="8080", CMD='x"\nevil: 1')
    assert target.services["web"].url == "http://pr-7.test:8080/a"
    assert target.server is not None
    assert target.server.command == ('x"\nevil: 1',)


def test_two_dollars_are_one(load: Load) -> None:
    """A dollar before a brace is written twice; any other dollar is itself."""
    target = load(with_service("secrets: {a: 'pa$$${X}$$x', b: 'a$bc$d-efgh'}"), X="{Yes}")
    assert target.secrets["a"].reveal() == "pa${Yes}$x"
    assert target.secrets["b"].reveal() == "a$bc$d-efgh"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${token}", "'${token}' names no variable (use A to Z, 0 to 9 and _, as in ${API_TOKEN})"),
        ("${A:-b}", "'${A:-b}' names no variable (use A to Z, 0 to 9 and _, as in ${API_TOKEN})"),
        ("${}", "'${}' names no variable (use A to Z, 0 to 9 and _, as in ${API_TOKEN})"),
        ("${A", "'${' without '}' (write ${NAME}, or $${ for the characters themselves)"),
    ],
)
def test_references_that_are_none(target_problems: Problems, text: str, message: str) -> None:
    """Shell syntax and unfinished references are told, for every target."""
    assert target_problems(with_service(f"secrets: {{a: '{text}'}}"), A="abcd") == [f"4:18: {message}"]


def test_a_value_from_the_environment_is_never_shown(target_problems: Problems) -> None:
    """A message quotes what is written, not what it stands for."""
    text = """\
access: '${A}'
server: {command: [x], ready: '${A}'}
release: {from: '${A}:/x', json: '${A}'}
allow: ['${A} web:/', 'POST ${A}:/']"""
    found = target_problems(with_service(text), A="hunter2")
    assert len(found) == 6
    assert "hunter2" not in " ".join(found)


def test_the_digest_follows_the_entry_but_not_the_secrets(load: Load) -> None:
    """Another secret value is the same configuration; another URL is not."""
    text = entry(
        "services: {web: 'http://${H}'}\nsecrets: {a: '${A}'}\n"
        "server: {command: [x], ready: 'web:/', environment: {T: '${A}'}}"
    )
    first = load(text, H="x.test", A="secret-1").config_digest
    assert first.startswith("sha256:")
    assert load(text, H="x.test", A="secret-2").config_digest == first
    assert load(text, H="y.test", A="secret-1").config_digest != first


def test_the_digest_does_not_follow_the_order_of_keys(load: Load) -> None:
    """Two ways to write the same thing have one digest."""
    one = load(entry("services: {a: http://a.test, b: http://b.test}\naccess: read-only"))
    two = load(entry("access: read-only\nservices: {b: http://b.test, a: http://a.test}"))
    assert one.config_digest == two.config_digest


def test_paths_in_messages(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file below the working directory is shown relative to it, any other one in full."""
    monkeypatch.chdir(tmp_path.parent)
    with pytest.raises(ConfigurationError) as caught:
        load("targets: 1")
    assert str(caught.value).startswith(f"{tmp_path.name}/targets.yaml:")
    monkeypatch.chdir("/")
    with pytest.raises(ConfigurationError) as caught:
        load("targets: 1")
    assert str(caught.value).startswith(str(tmp_path).lstrip("/"))
