from __future__ import annotations

import pytest

from postdeploy.errors import GuardRefusalError
from postdeploy.guard.redirects import Hop, following

HEADERS = {"X-Api-Key": "k", "Authorization": "a", "Content-Type": "c", "User-Agent": "u"}


@pytest.mark.parametrize(("status", "location"), [(200, "/b"), (304, "/b"), (302, None), (302, "")])
def test_no_redirect(status: int, location: str | None) -> None:
    """Another status, or no address, leads nowhere."""
    assert following(Hop("GET", "http://h/a", {}), status, location) is None


@pytest.mark.parametrize(
    ("method", "status", "onward"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("POST", 307, "POST"),
        ("HEAD", 303, "HEAD"),
    ],
)
def test_the_method_goes_on_as_browsers_have_it(method: str, status: int, onward: str) -> None:
    """A body goes on with the method that has it."""
    hop = following(Hop(method, "http://h/a", HEADERS, body=method != "HEAD"), status, "b#c")
    assert hop is not None
    assert (hop.method, hop.url, hop.body) == (onward, "http://h/b", onward not in {"GET", "HEAD"})
    assert ("Content-Type" in hop.headers) == hop.body


def test_another_origin_learns_nothing() -> None:
    """Not even by a header of which nobody knows what it is."""
    hop = following(Hop("GET", "http://h/a", HEADERS), 302, "http://h:81/")
    assert hop is not None
    assert set(hop.headers) == {"User-Agent"}


def test_another_origin_gets_no_body() -> None:
    """A 307 would post the password there."""
    with pytest.raises(GuardRefusalError, match="to another origin"):
        following(Hop("POST", "http://h/a", HEADERS, body=True), 307, "http://evil/")


def test_an_address_that_is_none() -> None:
    """It is the target's mistake, not ours."""
    with pytest.raises(ValueError, match="ort"):
        following(Hop("GET", "http://h/a", {}), 302, "http://h:99999/")
