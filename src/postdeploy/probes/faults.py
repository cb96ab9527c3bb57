"""What an error of the network means, as stable codes; whose fault it is follows from the code."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from postdeploy.errors import ProbeError

__all__ = ["BY_ERRNO", "BY_VERIFY_CODE", "RESET", "RESOLVER_TIMEOUT", "Meaning", "classify", "describe"]


class Meaning(NamedTuple):
    """A stable code, a few words for people, and whose fault it is."""

    code: str
    text: str
    target_fault: bool = True


RESET: Final = Meaning("connection_reset", "the other side broke the connection off")
_UNREACHABLE_HOST: Final = Meaning("host_unreachable", "no route leads to the host")
_NO_NETWORK: Final = Meaning("network_unreachable", "this machine has no route there", target_fault=False)
_NOT_PERMITTED: Final = Meaning("not_permitted", "this machine does not permit the connection", target_fault=False)
_NO_FILES: Final = Meaning("too_many_files", "this machine has no file descriptor left", target_fault=False)
_NO_MEMORY: Final = Meaning("out_of_memory", "this machine has no memory or thread left", target_fault=False)
_NO_PORT: Final = Meaning("no_free_port", "this machine has no local address or port left", target_fault=False)
_IN_USE: Final = Meaning("address_in_use", "the local address is in use already", target_fault=False)
_NOT_FOUND: Final = Meaning("dns_not_found", "the name does not resolve")
_NO_RESOLVER: Final = Meaning("resolver_unavailable", "no resolver answers this machine", target_fault=False)
RESOLVER_TIMEOUT: Final = Meaning("resolver_timeout", "looking up the name took too long", target_fault=False)

BY_ERRNO: Final[Mapping[int, Meaning]] = {
    errno.ECONNREFUSED: Meaning("connection_refused", "the connection was refused"),
    errno.ECONNRESET: RESET,
    errno.ECONNABORTED: RESET,
    errno.EPIPE: RESET,
    errno.ENOTCONN: RESET,
    errno.ETIMEDOUT: Meaning("connect_timeout", "no connection came about in time"),
    errno.EHOSTUNREACH: _UNREACHABLE_HOST,
    errno.EHOSTDOWN: _UNREACHABLE_HOST,
    errno.ENETUNREACH: _NO_NETWORK,
    errno.ENETDOWN: _NO_NETWORK,
    errno.EAFNOSUPPORT: _NO_NETWORK,
    errno.EINVAL: _NO_NETWORK,  # what Linux says for a blackhole route
    errno.EACCES: _NOT_PERMITTED,
    errno.EPERM: _NOT_PERMITTED,
    errno.EMFILE: _NO_FILES,
    errno.ENFILE: _NO_FILES,
    errno.ENOMEM: _NO_MEMORY,
    errno.ENOBUFS: _NO_MEMORY,
    errno.EADDRNOTAVAIL: _NO_PORT,
    errno.EADDRINUSE: _IN_USE,
}

_LOOK_UP: Final[Mapping[int, Meaning]] = {
    socket.EAI_NONAME: _NOT_FOUND,
    getattr(socket, "EAI_NODATA", socket.EAI_NONAME): _NOT_FOUND,
    getattr(socket, "EAI_ADDRFAMILY", socket.EAI_NONAME): _NOT_FOUND,
    socket.EAI_MEMORY: _NO_MEMORY,
}

BY_VERIFY_CODE: Final[Mapping[int, str]] = {
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    62: "certificate_wrong_host",
    64: "certificate_wrong_host",
}

_REASON: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"),
        Meaning("not_tls", "the port does not speak TLS"),
    ),
    **dict.fromkeys(
        ("TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "WRONG_SSL_VERSION"),
        Meaning("tls_version", "there is no TLS version that both sides speak"),
    ),
}


def classify(
    error: BaseException, place: str = "", *, phase: str = "", phases: Mapping[str, float] | None = None
) -> ProbeError:
    """What an error means, from its numbers and those of its causes; what has no number is ``unclassified``."""
    for link in _causes(error):
        if isinstance(link, ProbeError):
            link.phases = dict(phases or link.phases)
            return link
        meaning = _meaning(link, phase)
        if meaning is not None:
            return ProbeError(
                meaning.code, f"{place}: {meaning.text}", target_fault=meaning.target_fault, phases=dict(phases or {})
            )
    text = f"{place}: {type(error).__name__}: {error}"
    return ProbeError("unclassified", text, target_fault=False, phases=dict(phases or {}))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _meaning(error: BaseException, phase: str) -> Meaning | None:
    if isinstance(error, ssl.SSLError):  # before OSError: its errno is OpenSSL's, where 1 is not EPERM
        return _tls_meaning(error, phase)
    if isinstance(error, socket.gaierror):
        return _LOOK_UP.get(error.errno or 0, _NO_RESOLVER)
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, TimeoutError):
        return _late(phase)
    if isinstance(error, OSError):
        return BY_ERRNO.get(error.errno or (errno.ECONNRESET if isinstance(error, ConnectionError) else 0))
    return None


def _late(phase: str) -> Meaning:
    if phase == "dns":
        return RESOLVER_TIMEOUT
    if phase == "connect":
        return Meaning("connect_timeout", "no connection came about in time")
    return Meaning("timeout", f"nothing came in time (waiting for {phase})" if phase else "nothing came in time")


def _tls_meaning(error: ssl.SSLError, phase: str) -> Meaning:
    if isinstance(error, ssl.SSLCertVerificationError):
        code = BY_VERIFY_CODE.get(error.verify_code, "certificate_untrusted")
        return Meaning(code, f"the certificate is not trusted: {describe(error)}")
    if isinstance(error, ssl.SSLEOFError) and phase != "tls":
        return RESET
    reason = getattr(error, "reason", None) or type(error).__name__  # only errors that OpenSSL made have one
    return _REASON.get(reason) or Meaning("tls_handshake", f"the TLS handshake failed ({reason})")


def describe(error: ssl.SSLCertVerificationError) -> str:
    """What OpenSSL holds against a certificate, with its number."""
    return f"{error.verify_message.rstrip('.')} (verify code {error.verify_code})"
