from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from postdeploy.domain.check import DnsProbe
from postdeploy.domain.target import Target
from postdeploy.errors import ProbeError
from postdeploy.probes import dns

ToTarget = Callable[[str], Target]
PROBE = DnsProbe("web")


def test_localhost_has_a_loopback_address(target: ToTarget) -> None:
    """The resolver of this machine is really asked."""
    seen = dns.observe(PROBE, target("http://localhost:1"), timeout=0.5)
    assert set(seen.addresses) <= {"127.0.0.1", "::1"}
    assert seen.addresses


def test_place_is_the_host_name(target: ToTarget) -> None:
    """An observation says which name was looked up, without a port."""
    assert dns.observe(PROBE, target("http://localhost:1"), timeout=0.5).place == "localhost"


def test_address_stands_for_itself(target: ToTarget) -> None:
    """A service that is written as an IPv6 address needs no resolver."""
    assert dns.observe(PROBE, target("http://[::1]:1"), timeout=0.5).addresses == ("::1",)


def test_each_address_comes_once_in_order(target: ToTarget, resolves: Callable[..., None]) -> None:
    """Repeated answers of the resolver are one address, and its order is kept."""
    resolves("10.0.0.2", "10.0.0.1", "10.0.0.2", "fd00::1")
    assert dns.observe(PROBE, target("http://a.test"), timeout=0.5).addresses == ("10.0.0.2", "10.0.0.1", "fd00::1")


def test_time_is_the_phase_dns(target: ToTarget) -> None:
    """The look-up is timed, and is all that an observation takes."""
    seen = dns.observe(PROBE, target("http://127.0.0.1:1"), timeout=0.5)
    assert set(seen.phases) == {"dns"}
    assert 0 < seen.phases["dns"] <= seen.duration < 0.5


@pytest.mark.parametrize(
    ("error", "code", "target_fault"),
    [
        (socket.gaierror(socket.EAI_NONAME, "?"), "dns_not_found", True),
        (socket.gaierror(socket.EAI_NODATA, "?"), "dns_not_found", True),
        (socket.gaierror(socket.EAI_AGAIN, "?"), "resolver_unavailable", False),
        (socket.gaierror(socket.EAI_FAIL, "?"), "resolver_unavailable", False),
        (OSError(errno.EMFILE, "?"), "too_many_files", False),
        (UnicodeError("label too long"), "dns_not_found", False),
    ],
)
def test_failed_look_up(
    target: ToTarget, resolves: Callable[..., None], error: Exception, code: str, target_fault: bool
) -> None:
    """A name that is not there is the target's fault, a resolver that does not answer is not."""
    resolves(error=error)
    with pytest.raises(ProbeError) as caught:
        dns.observe(PROBE, target("http://a.test"), timeout=0.5)
    assert (caught.value.code, caught.value.target_fault) == (code, target_fault)
    assert set(caught.value.phases) == {"dns"}


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Make every look-up hang until the event is set."""
    release = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        release.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield release
    release.set()


def test_look_up_is_bounded(target: ToTarget, hang: threading.Event) -> None:
    """A resolver that hangs costs the time-out and no more, and blames no target."""
    start = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        dns.observe(PROBE, target("http://a.test"), timeout=0.1)
    assert time.monotonic() - start < 0.4
    assert (caught.value.code, caught.value.target_fault) == ("resolver_timeout", False)
    assert not hang.is_set()


def test_hanging_look_up_leaves_no_thread(target: ToTarget, hang: threading.Event) -> None:
    """The thread of a look-up ends with the resolver's answer, and never keeps a process alive."""
    with pytest.raises(ProbeError):
        dns.observe(PROBE, target("http://a.test"), timeout=0.05)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "look-up of a.test"]
    assert thread.daemon
    hang.set()
    thread.join(1)
    assert not thread.is_alive()


def test_machine_without_threads(target: ToTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, this machine is at fault."""

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(ProbeError) as caught:
        dns.observe(PROBE, target("http://a.test"), timeout=0.1)
    assert (caught.value.code, caught.value.target_fault) == ("out_of_memory", False)
