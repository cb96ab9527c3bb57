"""A curl command that does what a probe did, so that a person can look for himself."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from postdeploy.domain.check import DnsProbe, HttpProbe, PageProbe, Probe, TcpProbe, TlsProbe, WebsocketProbe
from postdeploy.domain.target import Target
from postdeploy.probes.connection import endpoint
from postdeploy.probes.http_request import request_of

__all__ = ["reproduce"]

_CURL: Final = ("curl", "-sS", "-i", "-g", "--compressed")
_UPGRADE: Final = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "cG9zdGRlcGxveXByb2JlMQ==",
}


def reproduce(probe: Probe, target: Target, timeout: float) -> str:
    """One line of shell."""
    return _WAYS[type(probe)](probe, target, timeout)


def _http(probe: Probe, target: Target, timeout: float) -> str:
    assert isinstance(probe, HttpProbe)  # noqa: S101  # the table below says so
    request = request_of(probe, target.url(probe.location), headers={}, timeout=timeout)
    words = [*_CURL, "--path-as-is", "--max-time", f"{timeout:g}"]
    if probe.follow:
        words.append("-L")
    if probe.method == "HEAD":
        words.append("--head")
    elif probe.method != "GET":
        words += ["-X", probe.method]
    words += _headers(request.headers)
    if request.body is not None:
        words += ["--data-raw", request.body.decode()]
    return shlex.join([*words, request.address()])


def _headers(headers: Mapping[str, str]) -> Iterator[str]:
    for name, value in headers.items():
        yield from ("-H", f"{name}: {value}" if value else f"{name};")


def _page(probe: Probe, target: Target, timeout: float) -> str:
    assert isinstance(probe, PageProbe)  # noqa: S101
    return shlex.join([*_CURL, "--max-time", f"{timeout:g}", target.url(probe.location)])


def _tls(probe: Probe, target: Target, _timeout: float) -> str:
    service = target.services[probe.service]
    where = shlex.quote(endpoint(service.host, service.port))
    return f"openssl s_client -connect {where} -servername {shlex.quote(service.host)} </dev/null"


def _dns(probe: Probe, target: Target, _timeout: float) -> str:
    return f"getent ahosts {shlex.quote(target.services[probe.service].host)}"


def _tcp(probe: Probe, target: Target, timeout: float) -> str:
    assert isinstance(probe, TcpProbe)  # noqa: S101
    service = target.services[probe.service]
    where = endpoint(service.host, probe.port or service.port)
    return shlex.join(["curl", "-v", "-g", "--max-time", f"{timeout:g}", f"telnet://{where}"])


def _websocket(probe: Probe, target: Target, timeout: float) -> str:
    assert isinstance(probe, WebsocketProbe)  # noqa: S101
    headers = {**_UPGRADE, **probe.headers} | ({"Authorization": probe.auth} if probe.auth else {})
    words = [*_CURL, "-N", "--http1.1", "--max-time", f"{timeout:g}", *_headers(headers)]
    return shlex.join([*words, target.url(probe.location)])


_WAYS: dict[type[object], Callable[[Probe, Target, float], str]] = {
    HttpProbe: _http,
    PageProbe: _page,
    TlsProbe: _tls,
    DnsProbe: _dns,
    TcpProbe: _tcp,
    WebsocketProbe: _websocket,
}
