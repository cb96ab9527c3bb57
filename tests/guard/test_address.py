from __future__ import annotations

import random

import pytest

from postdeploy.domain.target import Location, Service, Target
from postdeploy.guard.address import _split, _split_plain, is_ambiguous, locate

TARGET = Target(
    "t",
    {
        "web": Service("web", "https://app.example"),
        "api": Service("api", "https://app.example/api/v1"),
        "local": Service("local", "http://127.0.0.1:8080"),
        "six": Service("six", "http://[::1]:8080/base"),
    },
)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://app.example", "web:/"),
        ("https://app.example/", "web:/"),
        ("https://app.example/a?b=c#d", "web:/a?b=c"),
        ("https://app.example/api/v1", "api:/"),
        ("https://app.example/api/v1/x", "api:/x"),
        ("https://app.example/api/v10/x", "web:/api/v10/x"),
        ("https://APP.example:443/a", "web:/a"),
        ("HTTPS://app.example./a", "web:/a"),
        ("https://app.example/api/v1/../admin", "web:/api/admin"),
        ("https://app.example/api/v1/%2e%2E/admin", "web:/api/admin"),
        ("https://app.example/api/v1/./x", "api:/x"),
        ("https://app.example/%61pi/v1/x", "api:/x"),
        ("https://app.example/a%2fb", "web:/a%2Fb"),
        ("https://app.example/../../a", "web:/a"),
        ("https://app.example/é", "web:/%C3%A9"),
        ("http://127.0.0.1:8080/x", "local:/x"),
        ("http://[::1]:8080/base/x", "six:/x"),
    ],
)
def test_a_url_is_read_in_normal_form(url: str, place: str) -> None:
    """Case, ports, escapes and dots do not make another place of a place."""
    service, _, path = place.partition(":")
    assert locate(TARGET, url) == Location(service, path)


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example/",
        "https://app.example:8443/",
        "https://app.example.evil.example/",
        "https://app.example:443.evil.example/",
        "https://app.example@evil.example/",
        "https://user:pw@app.example/",
        "https://evil.example/?https://app.example/",
        "https://evil.example#@app.example/",
        "https://app.example\\@evil.example/",
        "https://evil.example\\.app.example/",
        "https://app.example /",
        "https://app.example\t/",
        "//app.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://app.example/",
        "",
        "https://",
        "https://[::1",
        "https://app.example:99999/",
        "http://127.1:8080/",
        "http://2130706433:8080/",
        "http://[::1]:8080/",
        "http://[::1]:8080/base/../x",
        "http://[::1]:8080/based",
    ],
)
def test_what_is_elsewhere_is_on_no_service(url: str) -> None:
    """What only looks like a service is none."""
    assert locate(TARGET, url) is None


@pytest.mark.parametrize(
    "path",
    [
        "/a/../b",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/%252e%252e/b",
        "/a/..;x=1/b",
        "/a%2f..%2fb",
        "/a\\..\\b",
        "/a%5c..",
        "/a%3f/../b",
    ],
)
def test_hidden_dots_are_found(path: str) -> None:
    """A path that some server or proxy could take for another one is ambiguous."""
    assert is_ambiguous(path)


@pytest.mark.parametrize("path", ["/", "/a..b/c.d", "/a/.well-known/x", "/a/...", "/a?b=/../c", "/%E1%84%92"])
def test_ordinary_paths_are_not(path: str) -> None:
    """Dots in names and in queries are ordinary."""
    assert not is_ambiguous(path)


def test_a_plain_url_is_read_as_any_other() -> None:
    """The short way for URLs in normal form comes to the same as the long one, for whatever it takes."""
    pieces = [
        "h",
        "127.0.0.1",
        ":80",
        ":99999",
        "a",
        "B",
        "/",
        "/",
        "//",
        ".",
        "..",
        "%41",
        "%2e",
        "?",
        "#",
        "q=1",
        "~",
    ]
    pieces += ["_", "-", "@", "[::1]", "\\", " ", "\t", "é", '"', "'", "%", "&", "*", ";"]
    chance = random.Random(5)
    plain = 0
    for _ in range(20_000):
        url = chance.choice(["http://", "https://"]) + "".join(chance.choices(pieces, k=chance.randint(0, 8)))
        if (split := _split_plain(url)) is not None:
            plain += 1
            assert split == _split(url), url
    assert plain > 500


@pytest.mark.parametrize(
    ("own", "url", "ours"),
    [
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example/x", True),
        ("https://xn--bcher-kva.example", "https://B\u00dcCHER.example/x", True),
        ("https://stra\u00dfe.example", "https://stra\u00dfe.example/x", True),
        ("https://strasse.example", "https://stra\u00dfe.example/x", False),
        ("https://app.example", "https://a\ufeffpp.example/x", False),
        ("https://app.example", "https://a\u00adpp.example/x", False),
        ("https://app.example", "https://\uff41pp.example/x", False),
        ("https://app.example", "https://app\u3002example/x", False),
    ],
)
def test_an_international_name_is_no_other_one(own: str, url: str, ours: bool) -> None:
    """A name that two standards look up differently is not taken for that of the target."""
    assert (locate(Target("t", {"web": Service("web", own)}), url) is not None) is ours
