from __future__ import annotations

import pytest

from postdeploy.domain.target import Service, Target
from postdeploy.guard.hosts import Hosts, endpoint_of

TARGET = Target(
    "t",
    {"web": Service("web", "https://app.example"), "six": Service("six", "http://[::1]:8080/base")},
    third_party=("cdn.example", "*.fonts.example", "db.example:8443"),
)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("app.example", 443),
        ("APP.example.", 443),
        ("::1", 8080),
        ("[::1]", 8080),
        ("cdn.example", 80),
        ("cdn.example", 443),
        ("a.b.fonts.example", 443),
        ("db.example", 8443),
    ],
)
def test_what_is_on_the_list_is_permitted(host: str, port: int) -> None:
    """Services by host and port, third parties by name."""
    assert Hosts.of(TARGET).permit(host, port)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("app.example", 80),
        ("app.example.evil", 443),
        ("::1", 80),
        ("xcdn.example", 443),
        ("fonts.example", 443),
        ("evilfonts.example", 443),
        ("cdn.example", 8443),
        ("db.example", 443),
    ],
)
def test_everything_else_is_not(host: str, port: int) -> None:
    """Neither other ports, nor names that only look alike."""
    assert not Hosts.of(TARGET).permit(host, port)


def test_rules_for_the_browser_say_the_same() -> None:
    """What goes without a proxy is what is on the list."""
    assert list(Hosts.of(TARGET).bypass_rules(["https"])) == [
        "https://[::1]:8080",
        "https://app.example:443",
        "https://cdn.example:80",
        "https://cdn.example:443",
        "https://*.fonts.example:80",
        "https://*.fonts.example:443",
        "https://db.example:8443",
    ]


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://H.example./x", ("h.example", 80)),
        ("wss://h.example", ("h.example", 443)),
        ("https://[::1]:1/", ("::1", 1)),
        ("data:text/html,x", None),
        ("blob:https://h.example/1", None),
        ("https://h:99999/", None),
        ("about:blank", None),
    ],
)
def test_where_an_address_leads(url: str, endpoint: tuple[str, int] | None) -> None:
    """Only what leads to a network has a host and a port."""
    assert endpoint_of(url) == endpoint
