from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from postdeploy.domain.check import DnsProbe, HttpProbe, PageProbe, Probe, TcpProbe, TlsProbe, WebsocketProbe
from postdeploy.domain.target import Location, Service, Target
from postdeploy.engine.curl import reproduce
from tests.web_server import WebServer

Make = Callable[..., Any]


def words(probe: Probe, url: str = "https://h.example:8443/base") -> list[str]:
    """The words of the command."""
    return shlex.split(reproduce(probe, Target("t", {"web": Service("web", url)}), 2.5))


def test_a_command_does_what_the_probe_did(server: WebServer) -> None:
    """The shell, given the command, sends the same request, whatever quotes are in it."""
    probe = HttpProbe("PUT", Location("web", "/a?b='c'"), {"x-a": "it's"}, {"k": "'$(é)"}, True, auth="Bearer t")
    command = reproduce(probe, Target("t", {"web": Service("web", server.url)}), 2)
    subprocess.run(command, shell=True, check=True, capture_output=True, timeout=5)
    seen = server.seen[0]
    assert (seen.method, seen.path, seen.body) == ("PUT", "/a?b='c'", '{"k": "\'$(é)"}'.encode())
    assert (seen.headers["x-a"], seen.headers["authorization"]) == ("it's", "Bearer t")
    assert seen.headers["content-type"] == "application/json"


def test_a_body_that_begins_with_an_at_sign_is_no_file(server: WebServer) -> None:
    """A body is sent as it is, never read from a file of that name."""
    probe = HttpProbe("POST", Location("web", "/"), body="@/etc/passwd")
    command = reproduce(probe, Target("t", {"web": Service("web", server.url)}), 2)
    subprocess.run(command, shell=True, check=True, capture_output=True, timeout=5)
    assert server.seen[0].body == b"@/etc/passwd"


def test_head_and_get_need_no_method() -> None:
    """HEAD is an option of its own, GET needs none."""
    assert "--head" in words(HttpProbe("HEAD", Location("web", "/")))
    assert "-X" not in words(HttpProbe("GET", Location("web", "/")))


def test_an_own_content_type_wins() -> None:
    """A header that the probe names is not named twice, however it is written."""
    command = words(HttpProbe("POST", Location("web", "/"), {"content-type": "a/b"}, {}, True))
    assert [word for word in command if "ontent-" in word.lower()] == ["content-type: a/b"]


def test_redirects_are_followed_where_the_probe_did() -> None:
    """A probe that follows redirects is a command that does."""
    assert "-L" in words(HttpProbe("GET", Location("web", "/"), follow=True))


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        (PageProbe(Location("web", "/p")), "https://h.example:8443/base/p"),
        (TlsProbe("web"), "-connect h.example:8443"),
        (DnsProbe("web"), "getent ahosts h.example"),
        (TcpProbe("web", 25), "telnet://h.example:25"),
        (TcpProbe("web"), "telnet://h.example:8443"),
        (WebsocketProbe(Location("web", "/w"), headers={"x-a": "b"}, auth="Bearer t"), "x-a: b"),
        (WebsocketProbe(Location("web", "/w"), auth="Bearer t"), "Authorization: Bearer t"),
    ],
)
def test_every_kind_of_probe_has_a_command(probe: Probe, text: str) -> None:
    """A person can look for himself with tools that are everywhere."""
    assert text in reproduce(probe, Target("t", {"web": Service("web", "https://h.example:8443/base")}), 2)


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    """Host and port of IPv6 are written as tools read them."""
    assert "-connect [::1]:443" in " ".join(words(TlsProbe("web"), "https://[::1]"))
