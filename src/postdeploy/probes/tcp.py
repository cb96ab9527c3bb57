"""A connection to the host of a service, and the first bytes that it sends by itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Final

from postdeploy.domain.check import TcpProbe
from postdeploy.domain.observation import TcpObservation
from postdeploy.domain.target import Target
from postdeploy.probes.connection import Timeline, connect, endpoint

__all__ = ["observe"]

_BANNER: Final = 1024


def observe(
    probe: TcpProbe, target: Target, *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> TcpObservation:
    """An established connection; the banner stays empty where the other side says nothing. Raises ProbeError."""
    service = target.services[probe.service]
    port = service.port if probe.port is None else probe.port
    timeline = Timeline(endpoint(service.host, port), timeout, clock)
    with connect(service.host, port, timeline) as sock:
        banner = _first_bytes(sock, timeline) if probe.banner else ""
    return TcpObservation(place=timeline.place, duration=timeline.elapsed, phases=timeline.phases, banner=banner)


def _first_bytes(sock: socket.socket, timeline: Timeline) -> str:
    with timeline.phase("first_byte"):
        try:
            sock.settimeout(timeline.left())
            return sock.recv(_BANNER).decode("utf-8", "backslashreplace")
        except TimeoutError:
            return ""  # the connection stands, and silence is what was seen
