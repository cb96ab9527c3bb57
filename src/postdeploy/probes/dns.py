"""Looking up the host name of a service."""

from __future__ import annotations

import time
from collections.abc import Callable

from postdeploy.domain.check import DnsProbe
from postdeploy.domain.observation import DnsObservation
from postdeploy.domain.target import Target
from postdeploy.probes.connection import Timeline, resolve

__all__ = ["observe"]


def observe(
    probe: DnsProbe, target: Target, *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> DnsObservation:
    """The addresses that the name has here and now, in the resolver's order. Raises ProbeError."""
    service = target.services[probe.service]
    timeline = Timeline(service.host, timeout, clock)
    with timeline.phase("dns"):
        found = resolve(service.host, service.port, timeline.left())
    addresses = tuple(dict.fromkeys(str(address.sockaddr[0]) for address in found))
    return DnsObservation(place=timeline.place, duration=timeline.elapsed, phases=timeline.phases, addresses=addresses)
