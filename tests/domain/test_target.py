from __future__ import annotations

import pytest

from postdeploy.domain.target import (
    SAFE_METHODS,
    Access,
    AccessMode,
    AllowRule,
    Budget,
    DenyRule,
    Location,
    Service,
    Target,
)

API = Service("api", "https://a.test/api/v1")


def test_location_reads_as_written() -> None:
    """A place is shown as it stands in a suite."""
    assert str(Location("api", "/users?page=2")) == "api:/users?page=2"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/users", "https://a.test/api/v1/users"),
        ("users", "https://a.test/api/v1/users"),
        ("/users?page=2", "https://a.test/api/v1/users?page=2"),
        ("", "https://a.test/api/v1/"),
    ],
)
def test_service_resolves_paths(path: str, url: str) -> None:
    """A path lies below the service's own path."""
    assert API.resolve(path) == url


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://a.test", "ws://a.test/chat?room=1"),
        ("https://a.test:8443/v1", "wss://a.test:8443/v1/chat?room=1"),
    ],
)
def test_websocket_url(base: str, url: str) -> None:
    """WebSockets use the scheme that goes with the service's own."""
    assert Service("web", base).websocket("/chat?room=1") == url


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "origin"),
    [
        ("http://a.test", "http", "a.test", 80, "http://a.test"),
        ("https://A.test/x", "https", "a.test", 443, "https://a.test"),
        ("https://a.test:443", "https", "a.test", 443, "https://a.test"),
        ("http://a.test:8080/x", "http", "a.test", 8080, "http://a.test:8080"),
        ("http://[::1]:5173/x", "http", "::1", 5173, "http://[::1]:5173"),
        ("https://me:secret@a.test", "https", "a.test", 443, "https://a.test"),
    ],
)
def test_parts_of_a_service(url: str, scheme: str, host: str, port: int, origin: str) -> None:
    """Scheme, host, port and origin come from the URL; an origin has neither credentials nor the scheme's own port."""
    service = Service("web", url)
    assert (service.scheme, service.host, service.port, service.origin) == (scheme, host, port, origin)


def test_service_without_host() -> None:
    """A URL without a host has an empty one."""
    assert Service("web", "http://").host == ""


def rule(text: str) -> AllowRule:
    """The rule that is written like this."""
    method, _, place = text.partition(" ")
    service, _, path = place.partition(":")
    return AllowRule(method, Location(service, path))


def test_rule_reads_as_written() -> None:
    """A rule is shown as it stands in targets.yaml."""
    assert str(rule("POST api:/auth/login")) == "POST api:/auth/login"


@pytest.mark.parametrize(
    ("written", "method", "service", "path", "covered"),
    [
        ("POST api:/auth/login", "POST", "api", "/auth/login", True),
        ("POST api:/auth/login", "post", "api", "/auth/login?next=/", True),
        ("POST api:/auth/login", "PUT", "api", "/auth/login", False),
        ("POST api:/auth/login", "POST", "web", "/auth/login", False),
        ("POST api:/auth/login", "POST", "api", "/auth/login/x", False),
        ("POST api:/auth/login", "POST", "api", "/x/auth/login", False),
        ("POST api:/auth/login", "POST", "api", "/auth/Login", False),
        ("POST api:/auth/*", "POST", "api", "/auth/a/b", True),
        ("POST api:/auth/*", "POST", "api", "/auth/a\nb", True),
        ("POST api:/auth/*", "POST", "api", "/auth", False),
        ("POST api:/*/x", "POST", "api", "/auth/x", True),
        ("POST api:/a.c", "POST", "api", "/abc", False),
        ("POST api:/a?c", "POST", "api", "/abc", False),
        ("POST api:/[ab]", "POST", "api", "/a", False),
        ("POST api:/[ab]", "POST", "api", "/[ab]", True),
        ("POST api:/auth/*", "POST", "api", "/auth/../users", False),
        ("POST api:/auth/*", "POST", "api", "/auth/./x", False),
        ("POST api:/auth/*", "POST", "api", "/auth/%2e%2E/users", False),
        ("POST api:/auth/*", "POST", "api", "/auth/..%2fusers", False),
        ("POST api:/auth/*", "POST", "api", "/auth/..\\users", False),
        ("POST api:/auth/*", "POST", "api", "/auth/..", False),
        ("POST api:/auth/*", "POST", "api", "/auth/..x", True),
    ],
)
def test_rule_covers(written: str, method: str, service: str, path: str, covered: bool) -> None:
    """A rule covers its own method, service and path; only a star stands for more, and dots lead nowhere."""
    assert rule(written).covers(method, Location(service, path)) is covered


@pytest.mark.parametrize("method", sorted(SAFE_METHODS))
def test_reading_is_always_permitted(method: str) -> None:
    """A read-only target may be read, in whatever case the method is written."""
    assert Access().permits(method, Location("api", "/x"))
    assert Access().permits(method.lower(), Location("api", "/x"))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "MAKE-COFFEE", ""])
def test_writing_needs_a_rule(method: str) -> None:
    """On a read-only target, whatever is not known to be safe needs a rule of its own."""
    place = Location("api", "/x")
    assert not Access().permits(method, place)
    assert Access(allow=(AllowRule("GET", place), AllowRule(method, place))).permits(method, place)


def test_read_write_permits_all() -> None:
    """A target that may be written to takes every method."""
    assert Access(AccessMode.READ_WRITE).permits("DELETE", Location("api", "/x"))


TARGET = Target("t", {"web": Service("web", "https://a.test"), "api": API, "old": Service("old", "https://a.test/api")})


def test_target_gives_urls() -> None:
    """A place on a target has a URL."""
    assert TARGET.url(Location("api", "/users")) == "https://a.test/api/v1/users"


def test_unknown_service() -> None:
    """A place on a service that the target does not have has none."""
    with pytest.raises(KeyError):
        TARGET.url(Location("nope", "/"))


@pytest.mark.parametrize(
    ("url", "service", "path"),
    [
        ("https://a.test", "web", "/"),
        ("https://a.test/", "web", "/"),
        ("https://a.test/editor?x=1", "web", "/editor?x=1"),
        ("https://a.test/editor#top", "web", "/editor"),
        ("https://a.test/api/v1/users", "api", "/users"),
        ("https://a.test/api/v1", "api", "/"),
        ("https://a.test/api/v2/users", "old", "/v2/users"),
        ("https://a.test/apis", "web", "/apis"),
        ("https://a.test?x=1", "web", "?x=1"),
    ],
)
def test_target_locates_urls(url: str, service: str, path: str) -> None:
    """A URL lies on the service whose own URL is the longest beginning of it."""
    assert TARGET.locate(url) == Location(service, path)


@pytest.mark.parametrize(
    "url",
    [
        "https://b.test/",
        "http://a.test/",
        "https://a.test.evil.test/",
        "https://a.test@evil.test/",
        "https://a.test:8443/",
        "",
    ],
)
def test_foreign_urls_lie_nowhere(url: str) -> None:
    """A URL that only begins alike is on no service."""
    assert TARGET.locate(url) is None


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (DenyRule("/logout"), "/logout"),
        (DenyRule("/logout"), "/LogOut/"),
        (DenyRule("/logout"), "//logout"),
        (DenyRule("/logout"), "/logout;jsessionid=1?x=y"),
        (DenyRule("/logout"), "/log%6Fut"),
        (DenyRule("/logout", "api"), "/logout"),
        (DenyRule("/admin/*"), "/admin/users/1"),
        (DenyRule("/*?action=delete*"), "/x?action=delete&id=1"),
        (DenyRule("/"), "/"),
    ],
)
def test_a_denied_path_is_denied_however_it_is_spelt(rule: DenyRule, path: str) -> None:
    """By every method, on every kind of target."""
    access = Access(AccessMode.READ_WRITE, deny=(rule,))
    assert not access.permits("GET", Location("api", path))
    assert access.denial(Location("api", path)) is rule


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (DenyRule("/logout"), "/logouts"),
        (DenyRule("/logout"), "/x?next=/logout"),
        (DenyRule("/logout", "web"), "/logout"),
        (DenyRule("/?action=delete"), "/?action=list"),
    ],
)
def test_other_paths_are_not_denied(rule: DenyRule, path: str) -> None:
    """A rule is about its own path, on its own service."""
    assert Access(deny=(rule,)).permits("GET", Location("api", path))


def test_a_body_makes_a_write_of_a_read() -> None:
    """Some servers take a GET with a body for more than a read."""
    assert not Access().permits("GET", Location("api", "/"), body=True)
    assert Access(AccessMode.READ_WRITE).permits("GET", Location("api", "/"), body=True)


@pytest.mark.parametrize("granted", [False, True])
def test_a_protected_target_needs_the_command_line_too(granted: bool) -> None:
    """For its exceptions, and for read-write access."""
    rule = AllowRule("POST", Location("api", "/login"))
    for access in (
        Access(allow=(rule,), protected=True, granted=granted),
        Access(AccessMode.READ_WRITE, protected=True, granted=granted),
    ):
        assert access.permits("POST", Location("api", "/login")) is granted
        assert access.permits("GET", Location("api", "/login"))
        assert access.sealed is not granted


def test_rules_read_as_they_are_written() -> None:
    """With a service or for all."""
    assert [str(DenyRule("/a")), str(DenyRule("/a", "web"))] == ["/a", "web:/a"]


def test_a_budget_that_says_something() -> None:
    """Any figure that is not the default is a bound."""
    assert not Budget().bounds
    assert Budget(bytes=1).bounds


def test_a_share_of_a_budget() -> None:
    """Several machines together keep to the whole; each may ask at least once."""
    whole = Budget(requests=10, per_second=6.0, in_flight=50, bytes=1000)
    assert whole.share(4) == Budget(requests=2, per_second=1.5, in_flight=12, bytes=250)
    assert Budget(requests=2, in_flight=2, bytes=1).share(9) == Budget(requests=1, in_flight=1, bytes=1)
    assert Budget().share(5) == Budget(in_flight=10)


def test_a_check_of_other_vantages_is_passed_over() -> None:
    """One that names none runs everywhere; one that names some runs there, and nowhere else."""
    target = Target("production", {"api": API})
    here = Target("production", {"api": API}, vantage="eu")
    assert target.passed_over(()) is here.passed_over(()) is here.passed_over(("us", "eu")) is None
    assert here.passed_over(("us", "ap")) == "for vantage us, ap, this is eu"
    assert target.passed_over(("us",)) == "for vantage us, this is none of them"
