"""What the socket probes share: time by phase, a bounded look-up, a connection, a handshake."""

from __future__ import annotations

import errno
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from postdeploy.errors import ProbeError
from postdeploy.probes.faults import classify

__all__ = ["Address", "Timeline", "classify", "connect", "endpoint", "resolve", "secure"]


class Address(NamedTuple):
    """Where a name leads: the family, and what ``socket.connect`` takes."""

    family: int
    sockaddr: tuple[object, ...]


class Timeline:
    """How long one observation may take, and how long it took by phase; errors in a phase become ProbeErrors."""

    def __init__(self, place: str, timeout: float, clock: Callable[[], float]) -> None:
        self.place = place
        self.clock = clock
        self.phases: dict[str, float] = {}
        self._started = clock()
        self._timeout = timeout

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return self.clock() - self._started

    def left(self) -> float:
        """Seconds that remain. Raises TimeoutError where none do."""
        seconds = self._timeout - self.elapsed
        if seconds <= 0:
            raise TimeoutError
        return seconds

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what happens inside. Raises ProbeError for every error of the network or of this machine."""
        start = self.clock()
        try:
            yield
        except (OSError, MemoryError, ProbeError) as error:
            self.phases[name] = self.clock() - start
            fault = classify(error, self.place, phase=name, phases=self.phases)
            if fault is error:
                raise
            raise fault from error
        self.phases[name] = self.clock() - start


def endpoint(host: str, port: int) -> str:
    """Host and port as people write them: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def resolve(host: str, port: int, timeout: float) -> tuple[Address, ...]:
    """The addresses of a host, each once, in the resolver's order. Raises OSError, TimeoutError or ProbeError.

    Nobody can cancel getaddrinfo, so it runs on a daemon thread that ends with the resolver's own time-out.
    """
    answers: queue.SimpleQueue[Sequence[Address] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([Address(family, sockaddr) for family, _, _, _, sockaddr in found])
        except (OSError, ValueError) as error:
            answers.put(error)

    _start(threading.Thread(target=ask, name=f"look-up of {host}", daemon=True))
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, ValueError):
        raise ProbeError("dns_not_found", f"{host!r} cannot be a host name", target_fault=False) from answer
    if isinstance(answer, Exception):
        raise answer
    return tuple(dict.fromkeys(answer))


def _start(thread: threading.Thread) -> None:
    try:
        thread.start()
    except RuntimeError as error:
        raise MemoryError from error


def connect(host: str, port: int, timeline: Timeline) -> socket.socket:
    """A connection to the first address that takes one, with the phases dns and connect. Raises ProbeError."""
    with timeline.phase("dns"):
        addresses = resolve(host, port, timeline.left())
    with timeline.phase("connect"):
        return _first(addresses, timeline)


def _first(addresses: Sequence[Address], timeline: Timeline) -> socket.socket:
    errors: list[OSError] = []
    for index, address in enumerate(addresses):
        try:
            # An equal share each, or an address that swallows packets would leave nothing for the next one.
            return _open(address, timeline.left() / (len(addresses) - index))
        except OSError as error:
            errors.append(error)
    blamed = [error for error in errors if classify(error, "", phase="connect").target_fault]
    raise (blamed or errors)[-1]


def _open(address: Address, timeout: float) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(address.sockaddr)
        _refuse_itself(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def _refuse_itself(sock: socket.socket) -> None:
    """Linux may connect a loopback port to itself: that looks like a connection, and nobody listens."""
    if sock.getsockname() == sock.getpeername():
        raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")


def secure(sock: socket.socket, host: str, context: ssl.SSLContext, timeline: Timeline) -> ssl.SSLSocket:
    """The connection after a TLS handshake for this host, with the phase tls. Raises ProbeError."""
    with timeline.phase("tls"):
        try:
            sock.settimeout(timeline.left())
            return context.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
