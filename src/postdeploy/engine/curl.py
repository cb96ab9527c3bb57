"""A curl command that does what a probe did, so that a person can look for himself."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

from postdeploy.domain.check import DnsProbe, HttpProbe, PageProbe, Probe, TcpProbe, TlsProbe, WebsocketProbe
from postdeploy.domain.target import Target

__all__ = ["reproduce"]


def reproduce(probe: Probe, target: Target, timeout: float) -> str:
    """One line of shell."""
    return _WAYS[type(probe)](probe, target, timeout)


def _http(probe: Probe, target: Target, timeout: float) -> str:
    assert isinstance(probe, HttpProbe)  # noqa: S101  # the table below says so
    words = ["curl", "-sS", "-i", "--max-time", f"{timeout:g}"]
    if probe.method == "HEAD":
        words.append("--head")
    elif probe.method != "GET":
        words += ["-X", probe.method]
    headers = dict(probe.headers)
    if probe.auth:
        headers["Authorization"] = probe.auth
    body = json.dumps(probe.json, ensure_ascii=False) if probe.has_json else probe.body
    if probe.has_json:
        headers.setdefault("Content-Type", "application/json")
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    if body is not None:
        words += ["--data-binary", body]
    return shlex.join([*words, target.url(probe.location)])


def _page(probe: Probe, target: Target, timeout: float) -> str:
    assert isinstance(probe, PageProbe)  # noqa: S101
    return shlex.join(["curl", "-sS", "-i", "--max-time", f"{timeout:g}", target.url(probe.location)])


def _tls(probe: Probe, target: Target, _timeout: float) -> str:
    service = target.services[probe.service]
    return f"openssl s_client -connect {service.host}:{service.port} -servername {service.host} </dev/null"


def _dns(probe: Probe, target: Target, _timeout: float) -> str:
    return f"getent ahosts {shlex.quote(target.services[probe.service].host)}"


def _tcp(probe: Probe, target: Target, timeout: float) -> str:
    assert isinstance(probe, TcpProbe)  # noqa: S101
    service = target.services[probe.service]
    return f"curl -v --max-time {timeout:g} telnet://{service.host}:{probe.port or service.port}"


def _websocket(probe: Probe, target: Target, timeout: float) -> str:
    assert isinstance(probe, WebsocketProbe)  # noqa: S101
    headers = [
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: cG9zdGRlcGxveXByb2JlMQ==",
    ]  # fmt: skip
    words = ["curl", "-sS", "-i", "-N", "--http1.1", "--max-time", f"{timeout:g}"]
    for header in headers:
        words += ["-H", header]
    return shlex.join([*words, target.url(probe.location)])


_WAYS: dict[type[object], Callable[[Probe, Target, float], str]] = {
    HttpProbe: _http,
    PageProbe: _page,
    TlsProbe: _tls,
    DnsProbe: _dns,
    TcpProbe: _tcp,
    WebsocketProbe: _websocket,
}
