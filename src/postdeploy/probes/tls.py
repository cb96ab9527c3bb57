"""A TLS handshake with a service, and its certificate whether it is trusted or not."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from postdeploy.domain.check import TlsProbe
from postdeploy.domain.observation import TlsObservation
from postdeploy.domain.target import Service, Target
from postdeploy.errors import ProbeError
from postdeploy.probes.connection import Timeline, connect, endpoint, secure
from postdeploy.probes.faults import describe

__all__ = ["observe"]

_DAY: Final = 86400.0

_SHORT: Final[Mapping[str, str]] = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "countryName": "C",
}


def observe(
    probe: TlsProbe, target: Target, *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> TlsObservation:
    """The handshake and the certificate; one that is not trusted is an observation too. Raises ProbeError.

    An untrusted certificate costs a second handshake: OpenSSL shows nothing of a peer that it refused. Times are those
    of the handshake that was completed. ``days_left`` is that of the certificate in the chain that expires first.
    """
    service = target.services[probe.service]
    context = ssl.create_default_context()
    timeline = Timeline(endpoint(service.host, service.port), timeout, clock)
    try:
        return _handshake(service, context, timeline, None)
    except ProbeError as refusal:
        if not isinstance(refusal.__cause__, ssl.SSLCertVerificationError):
            raise
        again = Timeline(timeline.place, timeout - timeline.elapsed, clock)
        return _look(service, again, refusal, refusal.__cause__)


def _look(
    service: Service, timeline: Timeline, refusal: ProbeError, error: ssl.SSLCertVerificationError
) -> TlsObservation:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only to read the certificate: nothing is sent over this connection
    try:
        return _handshake(service, context, timeline, describe(error))
    except ProbeError as second:
        raise refusal from second


def _handshake(
    service: Service, context: ssl.SSLContext, timeline: Timeline, trust_error: str | None
) -> TlsObservation:
    plain = connect(service.host, service.port, timeline)
    with secure(plain, service.host, context, timeline) as tls:
        elapsed = timeline.elapsed
        try:
            seen = _read(_chain(tls, trusted=trust_error is None))
        except ValueError as error:  # such as a name that is not UTF-8, or a date that is none
            text = f"{timeline.place}: the certificate cannot be read ({error})"
            raise ProbeError("certificate_unreadable", text, phases=timeline.phases) from error
        cipher = tls.cipher()
        return TlsObservation(
            place=timeline.place,
            duration=elapsed,
            phases=timeline.phases,
            trusted=trust_error is None,
            trust_error=trust_error,
            version=tls.version() or "",
            cipher=cipher[0] if cipher else "",
            **seen,
        )


def _chain(tls: ssl.SSLSocket, *, trusted: bool) -> Sequence[Mapping[str, Any]]:
    """The certificates, the service's own first: of the chain that was verified, else of what was sent.

    Before Python 3.13 the chain, and in every version the reading of a certificate that was not verified, are only to
    be had from the object inside the socket. The alternatives are worse: ``getpeercert`` gives bare DER, for which the
    standard library has no reader but a private test function on a file, and ``cryptography`` is not of the core.
    """
    inner: Any = tls._sslobj  # type: ignore[attr-defined]  # noqa: SLF001  # see above
    found = inner.get_verified_chain() if trusted else inner.get_unverified_chain()
    return [certificate.get_info() for certificate in found]


def _read(chain: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    own = chain[0]
    expires = min(float(ssl.cert_time_to_seconds(certificate["notAfter"])) for certificate in chain)
    return {
        "expires": expires,
        "days_left": (expires - time.time()) / _DAY,
        "issuer": _name(own["issuer"]),
        "subject_name": _subject(own["subject"]),
        "names": tuple(_alternative(*name) for name in own.get("subjectAltName", ())),
    }


def _pairs(name: Sequence[Sequence[tuple[str, str]]]) -> list[tuple[str, str]]:
    return [pair for group in name for pair in group]


def _name(name: Sequence[Sequence[tuple[str, str]]]) -> str:
    """A whole name as in RFC 4514, the most specific part first: ``CN=R11, O=Let's Encrypt, C=US``."""
    return ", ".join(f"{_SHORT.get(key, key)}={value}" for key, value in reversed(_pairs(name)))


def _subject(name: Sequence[Sequence[tuple[str, str]]]) -> str:
    """The common name, as people know a certificate by it; the whole name where there is none."""
    return next((value for key, value in _pairs(name) if key == "commonName"), "") or _name(name)


def _alternative(kind: str, value: object) -> str:
    if kind == "IP Address":
        return str(ipaddress.ip_address(str(value).strip()))
    return value if isinstance(value, str) else _name(value)  # type: ignore[arg-type]  # the rest are directory names
