from __future__ import annotations

import pytest

from postdeploy.domain.check import (
    Check,
    DnsProbe,
    HttpProbe,
    Kind,
    PageProbe,
    Probe,
    Step,
    TcpProbe,
    TlsProbe,
    WebsocketProbe,
    When,
    authorization,
)
from postdeploy.domain.target import Location

HOME = Location("web", "/")
READ = Step(HttpProbe("GET", HOME))
WRITE = Step(HttpProbe("POST", Location("api", "/users")))


def check(*steps: Step, cleanup: tuple[Step, ...] = (), repeatable: bool = False) -> Check:
    """A check with these steps."""
    return Check("s::n", "n", Kind.API, "s", 1, 1, steps, cleanup, repeatable=repeatable)


@pytest.mark.parametrize(
    "probe",
    [
        HttpProbe("GET", HOME),
        TlsProbe("web"),
        DnsProbe("web"),
        TcpProbe("web"),
        WebsocketProbe(HOME),
        PageProbe(HOME),
    ],
    ids=lambda probe: type(probe).__name__,
)
def test_every_probe_names_its_service(probe: Probe) -> None:
    """Whatever a probe does, it says to which service it goes, and reading is no writing."""
    assert probe.service == "web"
    assert probe.writes is False


@pytest.mark.parametrize(
    ("method", "writes"),
    [("GET", False), ("HEAD", False), ("OPTIONS", False), ("POST", True), ("DELETE", True), ("TRACE", True)],
)
def test_methods_that_write(method: str, writes: bool) -> None:
    """A method that is not known to be safe may change the target."""
    assert HttpProbe(method, HOME).writes is writes


@pytest.mark.parametrize(
    ("probe", "has_body"),
    [
        (HttpProbe("POST", HOME), False),
        (HttpProbe("POST", HOME, body=""), True),
        (HttpProbe("POST", HOME, json=None, has_json=True), True),
    ],
    ids=["none", "empty text", "null"],
)
def test_what_carries_a_body(probe: HttpProbe, has_body: bool) -> None:
    """An empty text and the JSON null are bodies, too."""
    assert probe.has_body is has_body


@pytest.mark.parametrize(
    ("when", "target", "applies"),
    [
        (When(), "staging", True),
        (When(targets=frozenset({"staging"})), "staging", True),
        (When(targets=frozenset({"staging"})), "production", False),
        (When(excluded=frozenset({"production"})), "production", False),
        (When(excluded=frozenset({"production"})), "staging", True),
        (When(targets=frozenset({"a"}), excluded=frozenset({"a"})), "a", False),
    ],
    ids=["all", "named", "other", "excluded", "rest", "both"],
)
def test_when(when: When, target: str, applies: bool) -> None:
    """A check runs on the targets that it names, or on all, but never on an excluded one."""
    assert when.applies(target) is applies


def test_services_come_once_in_order() -> None:
    """A check talks to the services of its steps and its cleanup."""
    assert check(WRITE, READ, WRITE, cleanup=(Step(TlsProbe("cdn")),)).services == ("api", "web", "cdn")


@pytest.mark.parametrize(
    ("made", "writes", "may_repeat"),
    [
        (check(READ), False, True),
        (check(READ, WRITE), True, False),
        (check(READ, cleanup=(WRITE,)), True, False),
        (check(WRITE, repeatable=True), True, True),
    ],
    ids=["reads", "writes", "cleans up", "says so"],
)
def test_repeating(made: Check, writes: bool, may_repeat: bool) -> None:
    """A check that writes is repeated only where it says that it may be."""
    assert (made.writes, made.may_repeat) == (writes, may_repeat)


def test_what_names_a_variable() -> None:
    """A check does if any of its steps does, also one that only cleans up."""
    plain, named = Step(TlsProbe("web")), Step(TlsProbe("web"), templated=True)
    made = [check(plain), check(plain, named), check(plain, cleanup=(named,))]
    assert [each.templated for each in made] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("bearer abc", "Bearer abc"),
        ("Bearer abc", "Bearer abc"),
        ("BEARER  abc ", "Bearer abc"),
        ("bearer a:b", "Bearer a:b"),
        ("basic me:pass word", "Basic bWU6cGFzcyB3b3Jk"),
        ("basic me:비밀", "Basic bWU667mE67CA"),
        ("Basic bWU6cGFzcyB3b3Jk", "Basic bWU6cGFzcyB3b3Jk"),
        ("ApiKey abc:def", "ApiKey abc:def"),
        ("", ""),
    ],
)
def test_authorization(text: str, header: str) -> None:
    """Credentials become a header once; a finished header and every other scheme stay as they are."""
    assert authorization(text) == header
    assert authorization(header) == header
