from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Callable

import pytest

from postdeploy.errors import ProbeError
from postdeploy.probes import connection
from postdeploy.probes.connection import Address, Timeline, connect, endpoint
from postdeploy.probes.faults import classify

Serve = Callable[..., int]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


def verification(code: int, message: str = "no") -> ssl.SSLCertVerificationError:
    """The error of a certificate that does not hold."""
    error = ssl.SSLCertVerificationError(1, "text that says nothing")
    error.verify_code, error.verify_message = code, message
    return error


def handshake(reason: str, kind: type[ssl.SSLError] = ssl.SSLError) -> ssl.SSLError:
    """The error of a handshake with OpenSSL's word for the reason."""
    error = kind(1, "text that says nothing")
    error.reason = reason
    return error


def sign(error: Exception) -> object:
    """What tells an error from others of its class."""
    return getattr(error, "verify_code", None) or getattr(error, "reason", None) or getattr(error, "errno", None)


@pytest.mark.parametrize(
    ("error", "code", "target_fault"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "?"), "connection_refused", True),
        (OSError(errno.ECONNRESET, "?"), "connection_reset", True),
        (BrokenPipeError(errno.EPIPE, "?"), "connection_reset", True),
        (ConnectionAbortedError(errno.ECONNABORTED, "?"), "connection_reset", True),
        (OSError(errno.ENOTCONN, "?"), "connection_reset", True),
        (ConnectionResetError("without a number"), "connection_reset", True),
        (TimeoutError(), "timeout", True),
        (OSError(errno.ETIMEDOUT, "?"), "timeout", True),
        (OSError(errno.EHOSTUNREACH, "?"), "host_unreachable", True),
        (OSError(errno.EHOSTDOWN, "?"), "host_unreachable", True),
        (OSError(errno.ENETUNREACH, "?"), "network_unreachable", False),
        (OSError(errno.ENETDOWN, "?"), "network_unreachable", False),
        (OSError(errno.EINVAL, "?"), "network_unreachable", False),
        (OSError(errno.EAFNOSUPPORT, "?"), "network_unreachable", False),
        (OSError(errno.EACCES, "?"), "not_permitted", False),
        (OSError(errno.EPERM, "?"), "not_permitted", False),
        (OSError(errno.EMFILE, "?"), "too_many_files", False),
        (OSError(errno.ENFILE, "?"), "too_many_files", False),
        (OSError(errno.ENOMEM, "?"), "out_of_memory", False),
        (OSError(errno.ENOBUFS, "?"), "out_of_memory", False),
        (MemoryError(), "out_of_memory", False),
        (OSError(errno.EADDRNOTAVAIL, "?"), "no_free_port", False),
        (OSError(errno.EADDRINUSE, "?"), "address_in_use", False),
        (socket.gaierror(socket.EAI_NONAME, "?"), "dns_not_found", True),
        (socket.gaierror(socket.EAI_AGAIN, "?"), "resolver_unavailable", False),
        (socket.gaierror(socket.EAI_MEMORY, "?"), "out_of_memory", False),
        (verification(20), "certificate_untrusted", True),
        (verification(21), "certificate_untrusted", True),
        (verification(18), "certificate_untrusted", True),
        (verification(19), "certificate_untrusted", True),
        (verification(23), "certificate_untrusted", True),
        (verification(62), "certificate_wrong_host", True),
        (verification(64), "certificate_wrong_host", True),
        (verification(10), "certificate_expired", True),
        (verification(9), "certificate_not_yet_valid", True),
        (handshake("WRONG_VERSION_NUMBER"), "not_tls", True),
        (handshake("HTTP_REQUEST"), "not_tls", True),
        (handshake("RECORD_LAYER_FAILURE"), "not_tls", True),
        (handshake("TLSV1_ALERT_PROTOCOL_VERSION"), "tls_version", True),
        (handshake("UNSUPPORTED_PROTOCOL"), "tls_version", True),
        (handshake("SSLV3_ALERT_HANDSHAKE_FAILURE"), "tls_handshake", True),
        (handshake("", ssl.SSLEOFError), "connection_reset", True),
        (OSError(errno.EBADF, "?"), "unclassified", False),
        (RuntimeError("?"), "unclassified", False),
    ],
    ids=lambda value: f"{type(value).__name__}-{sign(value)}" if isinstance(value, Exception) else None,
)
def test_meaning(error: Exception, code: str, target_fault: bool) -> None:
    """Every error has one code, and whose fault it is follows from it."""
    fault = classify(error)
    assert (fault.code, fault.target_fault) == (code, target_fault)


@pytest.mark.parametrize("text", ["Connection refused", "certificate verify failed", "timed out", "[Errno 111]"])
def test_text_means_nothing(text: str) -> None:
    """What an error says is never read, only its numbers are."""
    assert classify(OSError(text)).code == "unclassified"


def test_tls_error_is_not_an_errno() -> None:
    """The error 1 of OpenSSL is not the errno 1, which would be this machine's fault."""
    assert classify(ssl.SSLError(errno.EPERM, "?"), phase="tls").code == "tls_handshake"


def test_end_of_stream_in_a_handshake() -> None:
    """A connection that ends within the handshake is a failed handshake."""
    assert classify(handshake("", ssl.SSLEOFError), phase="tls").code == "tls_handshake"


@pytest.mark.parametrize(
    ("phase", "code", "target_fault"),
    [("connect", "connect_timeout", True), ("dns", "resolver_timeout", False), ("upgrade", "timeout", True)],
)
def test_lateness_depends_on_the_phase(phase: str, code: str, target_fault: bool) -> None:
    """A late resolver is not the target's fault; a late connection has a code of its own."""
    fault = classify(TimeoutError(), phase=phase)
    assert (fault.code, fault.target_fault) == (code, target_fault)


def caused(error: Exception, cause: Exception | None = None, context: Exception | None = None) -> Exception:
    """The error with what led to it."""
    error.__cause__, error.__context__ = cause, context
    return error


def test_cause_is_looked_for() -> None:
    """An error of a library means what the error of the socket below it means."""
    below = caused(RuntimeError("middle"), context=OSError(errno.ECONNREFUSED, "?"))
    assert classify(caused(RuntimeError("top"), cause=below)).code == "connection_refused"


def test_circle_of_causes_ends() -> None:
    """Errors that cause each other are walked once."""
    first, second = RuntimeError("a"), RuntimeError("b")
    caused(first, cause=second)
    caused(second, cause=first)
    assert classify(first).code == "unclassified"


def test_probe_error_is_kept() -> None:
    """What is a ProbeError already keeps its code and takes the phases."""
    error = ProbeError("closed", "closed")
    assert classify(caused(RuntimeError(), cause=error), phases={"dns": 1.0}) is error
    assert error.phases == {"dns": 1.0}


def test_message_names_place_and_reason() -> None:
    """The sentence for people says where and what, and the verify code of a certificate."""
    assert classify(verification(10, "certificate has expired."), "a.test:443").message == (
        "a.test:443: the certificate is not trusted: certificate has expired (verify code 10)"
    )


@pytest.mark.parametrize(
    ("host", "place"), [("a.test", "a.test:80"), ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")]
)
def test_endpoint(host: str, place: str) -> None:
    """IPv6 addresses stand in brackets, or their port could not be told from them."""
    assert endpoint(host, 80) == place


def test_phase_is_timed() -> None:
    """A phase takes as long as the clock says."""
    clock = Clock()
    timeline = Timeline("here", 5, clock)
    with timeline.phase("dns"):
        clock.now += 2
    assert (timeline.phases, timeline.elapsed, timeline.left()) == ({"dns": 2.0}, 2.0, 3.0)


def test_nothing_is_left_at_the_deadline() -> None:
    """At the deadline there is no time left, not zero seconds, which sockets take for non-blocking."""
    clock = Clock()
    timeline = Timeline("here", 5, clock)
    clock.now += 5
    with pytest.raises(TimeoutError):
        timeline.left()


def test_error_in_a_phase_keeps_the_phases() -> None:
    """An error says how long each phase took, its own too."""
    clock = Clock()
    timeline = Timeline("here", 5, clock)
    with timeline.phase("dns"):
        clock.now += 1

    def refuse() -> None:
        with timeline.phase("connect"):
            clock.now += 2
            raise OSError(errno.ECONNREFUSED, "?")

    with pytest.raises(ProbeError) as caught:
        refuse()
    assert caught.value.phases == {"dns": 1.0, "connect": 2.0}


def test_defect_is_not_hidden() -> None:
    """A defect of this program is no ProbeError."""
    with pytest.raises(ZeroDivisionError), Timeline("here", 5, Clock()).phase("dns"):
        _ = 1 / 0


def reach(port: int, timeout: float = 0.5) -> None:
    """Connect to a name at this port, and leave."""
    with connect("a.test", port, Timeline("a.test", timeout, time.monotonic)):
        pass


def test_next_address_is_tried(resolves: Callable[..., None], serve: Serve) -> None:
    """A host whose first address refuses is reached on its second one."""
    port = serve(lambda _: None)
    resolves("127.0.0.2", "127.0.0.1")
    reach(port)


def test_black_hole_leaves_time_for_the_next_address(
    monkeypatch: pytest.MonkeyPatch, black_hole: int, serve: Serve
) -> None:
    """An address that swallows packets takes its share of the time and no more."""
    port = serve(lambda _: None)
    found = (
        Address(socket.AF_INET, ("127.0.0.1", black_hole)),
        Address(socket.AF_INET, ("127.0.0.1", port)),
    )
    monkeypatch.setattr(connection, "resolve", lambda *_: found)
    reach(port, timeout=0.4)


def test_targets_fault_comes_first(resolves: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this machine has no IPv6 and the target refuses on IPv4, it is the refusal that counts."""
    errors = {
        "127.0.0.1": OSError(errno.ECONNREFUSED, "?"),
        "fd00::1": OSError(errno.ENETUNREACH, "?"),
    }

    def refuse(address: Address, _timeout: float) -> socket.socket:
        raise errors[str(address.sockaddr[0])]

    monkeypatch.setattr(connection, "_open", refuse)
    resolves("127.0.0.1", "fd00::1")
    with pytest.raises(ProbeError, match="refused") as caught:
        reach(1)
    assert caught.value.code == "connection_refused"


def test_runner_without_network(resolves: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no address has a route, the target is not blamed."""

    def refuse(_address: Address, _timeout: float) -> socket.socket:
        raise OSError(errno.ENETUNREACH, "?")

    monkeypatch.setattr(connection, "_open", refuse)
    resolves("10.0.0.1", "fd00::1")
    with pytest.raises(ProbeError) as caught:
        reach(1)
    assert (caught.value.code, caught.value.target_fault) == ("network_unreachable", False)


def test_connection_to_itself_is_none() -> None:
    """A port that Linux connected to itself has nobody listening."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())
        with pytest.raises(ConnectionRefusedError):
            connection._refuse_itself(sock)


def test_machine_without_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that can open no socket is at fault itself."""

    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "?")

    monkeypatch.setattr(connection, "resolve", lambda *_: (Address(socket.AF_INET, ("127.0.0.1", 1)),))
    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(ProbeError) as caught:
        reach(1)
    assert (caught.value.code, caught.value.target_fault) == ("too_many_files", False)
