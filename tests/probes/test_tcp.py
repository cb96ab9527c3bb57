from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

import pytest

from postdeploy.domain.check import TcpProbe
from postdeploy.domain.target import Target
from postdeploy.errors import ProbeError
from postdeploy.probes import tcp

ToTarget = Callable[[str], Target]
Serve = Callable[..., int]


def test_open_port_connects(target: ToTarget, serve: Serve) -> None:
    """A port that takes connections is seen as connected, with its place and its two phases."""
    port = serve(lambda _: None)
    seen = tcp.observe(TcpProbe("web"), target(f"http://127.0.0.1:{port}"), timeout=0.5)
    assert (seen.connected, seen.banner, seen.place) == (True, "", f"127.0.0.1:{port}")
    assert set(seen.phases) == {"dns", "connect"}
    assert sum(seen.phases.values()) <= seen.duration < 0.5


def test_port_of_the_probe_comes_first(target: ToTarget, serve: Serve, closed_port: int) -> None:
    """A probe may ask for another port of the same host."""
    port = serve(lambda _: None)
    seen = tcp.observe(TcpProbe("web", port=port), target(f"http://127.0.0.1:{closed_port}"), timeout=0.5)
    assert seen.place == f"127.0.0.1:{port}"


def test_ipv6(target: ToTarget, serve: Serve) -> None:
    """An IPv6 address is written in brackets and connected to."""
    port = serve(lambda _: None, host="::1")
    assert tcp.observe(TcpProbe("web"), target(f"http://[::1]:{port}"), timeout=0.5).place == f"[::1]:{port}"


@pytest.mark.parametrize(
    ("sent", "seen"), [(b"SSH-2.0-x\r\n", "SSH-2.0-x\r\n"), (b"\xff\x00ok", "\\xff\x00ok"), (b"a" * 3000, "a" * 1024)]
)
def test_banner_is_the_first_bytes(target: ToTarget, serve: Serve, sent: bytes, seen: str) -> None:
    """A banner is text with what is not UTF-8 escaped, of at most one KiB."""
    port = serve(lambda connection: connection.sendall(sent))
    observation = tcp.observe(TcpProbe("web", banner=True), target(f"http://127.0.0.1:{port}"), timeout=0.5)
    assert observation.banner == seen
    assert "first_byte" in observation.phases


def test_silence_is_an_empty_banner(target: ToTarget, serve: Serve) -> None:
    """A server that says nothing until the deadline is connected to, and has no banner."""
    port = serve(lambda _: None)
    seen = tcp.observe(TcpProbe("web", banner=True), target(f"http://127.0.0.1:{port}"), timeout=0.1)
    assert (seen.connected, seen.banner) == (True, "")
    assert 0.09 < seen.duration < 0.4


def test_reset_while_waiting_for_the_banner(target: ToTarget, serve: Serve) -> None:
    """A connection that breaks off before the banner is no observation."""

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.05)
        connection.close()

    port = serve(reset)
    with pytest.raises(ProbeError) as caught:
        tcp.observe(TcpProbe("web", banner=True), target(f"http://127.0.0.1:{port}"), timeout=0.5)
    assert (caught.value.code, caught.value.target_fault) == ("connection_reset", True)
    assert set(caught.value.phases) == {"dns", "connect", "first_byte"}


def test_closed_port_refuses(target: ToTarget, closed_port: int) -> None:
    """Nobody listening is the target's fault and says so with the place."""
    with pytest.raises(ProbeError, match=f"^127.0.0.1:{closed_port}: the connection was refused$") as caught:
        tcp.observe(TcpProbe("web"), target(f"http://127.0.0.1:{closed_port}"), timeout=0.5)
    assert (caught.value.code, caught.value.target_fault) == ("connection_refused", True)


def test_black_hole_times_out(target: ToTarget, black_hole: int) -> None:
    """Swallowed packets cost the time-out and no more."""
    start = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        tcp.observe(TcpProbe("web"), target(f"http://127.0.0.1:{black_hole}"), timeout=0.2)
    assert (caught.value.code, caught.value.target_fault) == ("connect_timeout", True)
    assert 0.19 < time.monotonic() - start < 0.5
