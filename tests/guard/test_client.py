from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from postdeploy.domain.target import Access, ReleaseWait, Service, Target
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.client import Exchanged, open_client
from tests.web_server import WebServer, respond


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Give a server."""
    started = WebServer()
    yield started
    started.close()


@pytest.fixture
def exchanged() -> list[Exchanged]:
    """Give what the client reports."""
    return []


@pytest.fixture
def client(server: WebServer, exchanged: list[Exchanged]) -> Iterator[httpx2.Client]:
    """Give a client of a read-only service."""
    service = Service("api", f"{server.url}/base")
    target = Target("t", {"api": service}, Access(), release=ReleaseWait((), header="x-release"))
    opened = open_client(target, service, headers=lambda: {"X-Who": "us"}, exchanged=exchanged.append, timeout=2)
    yield opened
    opened.close()


def test_paths_are_relative_to_the_service(
    client: httpx2.Client, server: WebServer, exchanged: list[Exchanged]
) -> None:
    """A request goes below the service, says who we are, and is reported with its release."""
    server.script("/base/x", respond(201, x_release="r1"))
    assert client.get("/x").status_code == 201
    assert server.seen[0].headers["x-who"] == "us"
    assert (exchanged[0].method, exchanged[0].status, exchanged[0].release) == ("GET", 201, "r1")


@pytest.mark.parametrize("path", ["/x", "/../x", "http://evil.example/x"])
def test_what_may_not_leave_does_not(client: httpx2.Client, server: WebServer, path: str) -> None:
    """A write to a read-only target, and everything to elsewhere, is refused before it is sent."""
    with pytest.raises(GuardRefusalError):
        client.post(path)
    assert server.seen == []


def test_each_hop_of_a_redirect_is_asked_about(client: httpx2.Client, server: WebServer) -> None:
    """A server cannot send the client elsewhere."""
    server.script("/base/x", respond(302, location="/outside"))
    with pytest.raises(GuardRefusalError):
        client.get("/x", follow_redirects=True)
    assert server.paths() == ["/base/x"]


def test_redirects_are_not_followed_unasked(client: httpx2.Client, server: WebServer) -> None:
    """A test sees the redirect itself."""
    server.script("/base/x", respond(302, location="/base/y"))
    assert client.get("/x").status_code == 302


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, server: WebServer) -> None:
    """What a test sees is the target."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    service = Service("api", server.url)
    with open_client(Target("t", {"api": service}), service, headers=dict, exchanged=lambda _: None) as opened:
        assert opened.get("/").status_code == 200


def test_a_command_reproduces_the_request(client: httpx2.Client, exchanged: list[Exchanged]) -> None:
    """The command names what the test sent, without what identifies the run."""
    client.get("/x?a='b'", headers={"Authorization": "Bearer t"})
    assert "authorization: Bearer t" in exchanged[0].curl
    assert "user-agent" not in exchanged[0].curl.lower()
