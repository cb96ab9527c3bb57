from __future__ import annotations

from dataclasses import replace

import pytest

from postdeploy.domain.target import Access, AccessMode, AllowRule, DenyRule, Location, Service, Target
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.hosts import Hosts
from postdeploy.guard.outgoing import page_refusal, refusal, require_permission

SERVICES = {"web": Service("web", "https://app.example"), "api": Service("api", "https://app.example/api/v1")}
RULES = (AllowRule("POST", Location("api", "/auth/*")), AllowRule("POST", Location("api", "/login")))
READ_ONLY = Target("production", SERVICES, Access(AccessMode.READ_ONLY, RULES))
READ_WRITE = Target("staging", SERVICES, Access(AccessMode.READ_WRITE))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "get"])
def test_reads_are_permitted(method: str) -> None:
    """A safe method may go to every service."""
    assert refusal(READ_ONLY, method, "https://app.example/x") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"])
def test_everything_else_is_refused_on_a_read_only_target(method: str) -> None:
    """The refusal names the rule that would permit it."""
    error = refusal(READ_ONLY, method, "https://app.example/api/v1/x?y=1")
    assert error is not None
    assert error.allow == f'allow: ["{method} api:/x"]'


def test_a_rule_permits() -> None:
    """An exception holds for its method and place, with any query."""
    assert refusal(READ_ONLY, "POST", "https://app.example/api/v1/login?x=1") is None
    assert refusal(READ_ONLY, "PUT", "https://app.example/api/v1/login") is not None


@pytest.mark.parametrize(
    "path",
    ["/api/v1/auth/../admin", "/api/v1/auth/%2e%2e/admin", "/api/v1/auth/..%2fadmin", "/api/v1/auth/%252e%252e/admin",
     "/api/v1/auth/..;/admin", "/api/v1/x/../auth/y", "/auth/x", "/api/v1//login"],
)  # fmt: skip
def test_no_detour_leads_through_a_rule(path: str) -> None:
    """What could be read as another path is not covered by a rule."""
    assert refusal(READ_ONLY, "POST", f"https://app.example{path}") is not None


def test_an_escaped_letter_is_the_letter() -> None:
    """A rule covers its path however it is written."""
    assert refusal(READ_ONLY, "POST", "https://app.example/api/v1/log%69n") is None


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("target", [READ_ONLY, READ_WRITE])
def test_nothing_leaves_for_elsewhere(target: Target, method: str) -> None:
    """What is on no service is refused on every target, whatever the method."""
    error = refusal(target, method, "https://evil.example/")
    assert error is not None
    assert f"is not on a service of target '{target.name}'" in error.message


def test_a_writable_target_may_be_written_to() -> None:
    """Read-write access permits every method on its services."""
    assert refusal(READ_WRITE, "DELETE", "https://app.example/api/v1/a/../b") is None


def test_a_refusal_can_be_raised() -> None:
    """The same decision, as an exception."""
    require_permission(READ_ONLY, "GET", "https://app.example/")
    with pytest.raises(GuardRefusalError, match="read-only"):
        require_permission(READ_ONLY, "POST", "https://app.example/")


def test_a_read_with_a_body_is_a_write() -> None:
    """And its refusal says so."""
    error = refusal(READ_ONLY, "GET", "https://app.example/x", body=True)
    assert error is not None
    assert "GET web:/x with a body was not sent" in error.message


def test_a_protected_target_names_the_option() -> None:
    """What is missing is not a line in the file."""
    target = replace(READ_WRITE, access=replace(READ_WRITE.access, protected=True))
    error = refusal(target, "POST", "https://app.example/x")
    assert error is not None
    assert error.allow == f"--allow-writes={target.name} on the command line"


def test_a_denied_path_is_denied_to_all() -> None:
    """To clients and to pages, also on a target that may be written to."""
    target = replace(READ_WRITE, access=replace(READ_WRITE.access, deny=(DenyRule("/logout"),)))
    for error in (
        refusal(target, "GET", "https://app.example/logout"),
        page_refusal(target, Hosts.of(target), "GET", "https://app.example/x/../logout"),
    ):
        assert error is not None
        assert error.allow is not None
        assert "'deny'" in error.allow


def test_pages_read_from_their_hosts_only() -> None:
    """What never leaves the browser is nobody's business."""
    hosts = Hosts.of(READ_ONLY)
    assert page_refusal(READ_ONLY, hosts, "GET", "data:text/html,x") is None
    assert page_refusal(READ_ONLY, hosts, "GET", "wss://app.example/anything") is None
    error = page_refusal(READ_ONLY, hosts, "GET", "https://cdn.example:8443/x")
    assert error is not None
    assert error.allow == 'third_party: ["cdn.example:8443"]'
    assert page_refusal(READ_ONLY, hosts, "POST", "https://app.example/x") is not None
