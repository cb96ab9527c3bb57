"""HTTP through libcurl: one exchange, prepared on a handle and read back as an observation.

libcurl keeps its latencies true with many exchanges in flight. Bodies are decoded here, with a bound: libcurl has none.
"""

from __future__ import annotations

import errno
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import pycurl

from postdeploy.domain.check import HttpProbe
from postdeploy.domain.observation import HttpObservation
from postdeploy.errors import ProbeError

__all__ = ["BODY_LIMIT", "Exchange", "HttpRequest", "request_of"]

BODY_LIMIT: Final = 5 * 1024 * 1024
"""Bytes of a body, decoded or not, after which an answer is refused."""

_HEADER_LIMIT: Final = 256 * 1024

_CA_FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)

_VERSIONS: Final = {
    pycurl.CURL_HTTP_VERSION_1_0: "1.0",
    pycurl.CURL_HTTP_VERSION_1_1: "1.1",
    pycurl.CURL_HTTP_VERSION_2_0: "2",
    pycurl.CURL_HTTP_VERSION_3: "3",
}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it goes out: absolute URL, every header, the body's bytes. ``timeout`` is in seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 10.0
    fresh: bool = False
    place: str = ""
    release_header: str | None = None
    redirects: int = 0

    def redirected(self, observation: HttpObservation) -> HttpRequest:
        """The request that follows a redirect to the same or another place, without body (RFC 9110 §15.4)."""
        target = urljoin(self.url, str(observation.header("location")))
        method = self.method if self.method == "HEAD" else "GET"
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-type"}
        return HttpRequest(
            method, target, headers, None, self.timeout, self.fresh, self.place, self.release_header, self.redirects + 1
        )


def request_of(
    probe: HttpProbe, url: str, *, headers: Mapping[str, str], timeout: float, release_header: str | None = None
) -> HttpRequest:
    """The request that a probe asks for; ``headers`` come before the probe's own."""
    merged = {**headers, **probe.headers}
    names = {name.lower() for name in merged}
    body = probe.body.encode() if probe.body is not None else None
    if probe.has_json:
        body = json.dumps(probe.json, ensure_ascii=False).encode()
        if "content-type" not in names:
            merged["Content-Type"] = "application/json"
    if probe.auth and "authorization" not in names:
        merged["Authorization"] = probe.auth
    return HttpRequest(
        probe.method, url, merged, body, timeout, place=str(probe.location), release_header=release_header
    )


class Exchange:
    """One request on one handle; the handle's owner performs it and calls ``observation`` or ``error`` afterwards."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self._headers: list[bytes] = []
        self._header_size = 0
        self._body = bytearray()
        self._overflow: str | None = None

    def prepare(self, curl: Any) -> None:
        """Set every option of a fresh or reset handle."""
        request = self.request
        curl.setopt(pycurl.URL, request.url)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.PATH_AS_IS, 1)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.TIMEOUT_MS, max(1, int(request.timeout * 1000)))
        curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
        curl.setopt(pycurl.WRITEFUNCTION, self._on_body)
        curl.setopt(pycurl.HTTPHEADER, list(_header_lines(request)))
        if request.fresh:
            curl.setopt(pycurl.FRESH_CONNECT, 1)
            curl.setopt(pycurl.FORBID_REUSE, 1)
        if request.url.startswith("https:") and (authorities := _authorities()):
            curl.setopt(pycurl.CAINFO, authorities)
        self._prepare_method(curl)

    def _prepare_method(self, curl: Any) -> None:
        method, body = self.request.method, self.request.body
        if method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif body is not None or method in {"POST", "PUT", "PATCH"}:
            curl.setopt(pycurl.POSTFIELDS, body or b"")
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        elif method != "GET":
            curl.setopt(pycurl.CUSTOMREQUEST, method)

    def _on_header(self, line: bytes) -> int | None:
        self._header_size += len(line)
        if self._header_size > _HEADER_LIMIT:
            self._overflow = f"headers of more than {_HEADER_LIMIT} bytes"
            return 0
        if line.startswith(b"HTTP/"):
            self._headers.clear()
        elif line.strip():
            self._headers.append(line)
        return None

    def _on_body(self, data: bytes) -> int | None:
        if len(self._body) + len(data) > BODY_LIMIT:
            self._overflow = f"a body of more than {BODY_LIMIT} bytes"
            return 0
        self._body += data
        return None

    def observation(self, curl: Any) -> HttpObservation:
        """What came. Raises ProbeError if the body cannot be decoded within its bound."""
        phases = _phases(curl)
        headers = tuple(_parse_headers(self._headers))
        encoding = next((value for name, value in headers if name == "content-encoding"), "")
        release = self.request.release_header
        return HttpObservation(
            place=self.request.place,
            duration=curl.getinfo(pycurl.TOTAL_TIME),
            phases=phases,
            release=next((value for name, value in headers if name == release), None) if release else None,
            method=self.request.method,
            url=self.request.url,
            status=curl.getinfo(pycurl.RESPONSE_CODE),
            headers=headers,
            body=_decode(bytes(self._body), encoding, phases),
            http_version=_VERSIONS.get(curl.getinfo(pycurl.INFO_HTTP_VERSION), "1.1"),
            redirects=self.request.redirects,
            address=curl.getinfo(pycurl.PRIMARY_IP) or "",
        )

    def error(self, curl: Any, number: int, text: str) -> ProbeError:
        """Why nothing came, by libcurl's numbers and errno, never by text."""
        phases = _phases(curl)
        if self._overflow:
            return ProbeError("protocol_too_large", f"the answer has {self._overflow}", phases=phases)
        code, ours = _classify(curl, number)
        return ProbeError(code, _sentence(code, text, self.request), target_fault=not ours, phases=phases)


def _header_lines(request: HttpRequest) -> Iterator[str]:
    names = {name.lower() for name in request.headers}
    yield "Expect:"
    if "accept-encoding" not in names:
        yield "Accept-Encoding: gzip, deflate"
    if request.body is not None and "content-type" not in names:
        yield "Content-Type: text/plain; charset=utf-8"
    for name, value in request.headers.items():
        yield f"{name}: {value}" if value else f"{name};"


def _authorities() -> str | None:
    chosen = os.environ.get("SSL_CERT_FILE")
    return chosen or next((path for path in _CA_FILES if Path(path).is_file()), None)


def _parse_headers(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.decode("utf-8", "backslashreplace").partition(":")
        yield name.strip().lower(), value.strip()


def _phases(curl: Any) -> dict[str, float]:
    """Seconds by phase from libcurl's cumulative times; a reused connection has no dns, connect and tls."""
    lookup, connect = curl.getinfo(pycurl.NAMELOOKUP_TIME), curl.getinfo(pycurl.CONNECT_TIME)
    handshake, ready = curl.getinfo(pycurl.APPCONNECT_TIME), curl.getinfo(pycurl.PRETRANSFER_TIME)
    first, total = curl.getinfo(pycurl.STARTTRANSFER_TIME), curl.getinfo(pycurl.TOTAL_TIME)
    spans = {
        "dns": lookup,
        "connect": connect - lookup if connect else 0.0,
        "tls": handshake - connect if handshake else 0.0,
        "first_byte": first - ready if first else 0.0,
        "transfer": total - first if first else 0.0,
    }
    return {name: max(0.0, seconds) for name, seconds in spans.items() if seconds > 0}


def _decode(body: bytes, encoding: str, phases: dict[str, float]) -> bytes:
    encodings = [name.strip() for name in encoding.lower().split(",") if name.strip() not in {"", "identity"}]
    for name in reversed(encodings):
        window = {"gzip": 31, "x-gzip": 31, "deflate": 47}.get(name)
        if window is None or not body:
            continue
        body = _inflate(body, window, name, phases)
    return body


def _inflate(body: bytes, window: int, name: str, phases: dict[str, float]) -> bytes:
    decoder = zlib.decompressobj(window)
    try:
        decoded = decoder.decompress(body, BODY_LIMIT + 1)
    except zlib.error as error:
        raise ProbeError("protocol_encoding", f"the body is not {name}: {error}", phases=phases) from error
    if len(decoded) > BODY_LIMIT:
        raise ProbeError(
            "protocol_too_large", f"the {name} body unpacks to more than {BODY_LIMIT} bytes", phases=phases
        )
    if not decoder.eof:
        raise ProbeError("protocol_truncated", f"the {name} body ends too early", phases=phases)
    return decoded


_CODES: Final[Mapping[int, str]] = {
    pycurl.E_COULDNT_RESOLVE_HOST: "dns_not_found",
    pycurl.E_GOT_NOTHING: "protocol_no_answer",
    pycurl.E_RECV_ERROR: "connection_reset",
    pycurl.E_SEND_ERROR: "connection_reset",
    pycurl.E_PARTIAL_FILE: "protocol_truncated",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "protocol_not_http",
    pycurl.E_UNSUPPORTED_PROTOCOL: "protocol_not_http",
    pycurl.E_SSL_CONNECT_ERROR: "tls_handshake",
    pycurl.E_HTTP2: "protocol_http2",
    92: "protocol_http2",  # CURLE_HTTP2_STREAM, which pycurl does not name
}

_ERRNOS: Final[Mapping[int, tuple[str, bool]]] = {
    errno.ECONNREFUSED: ("connection_refused", False),
    errno.ECONNRESET: ("connection_reset", False),
    errno.ETIMEDOUT: ("connect_timeout", False),
    errno.EHOSTUNREACH: ("host_unreachable", False),
    errno.ENETUNREACH: ("network_unreachable", True),
    errno.ENETDOWN: ("network_unreachable", True),
    errno.EADDRNOTAVAIL: ("no_free_port", True),
    errno.EMFILE: ("too_many_files", True),
    errno.ENFILE: ("too_many_files", True),
}

_VERIFY_CODES: Final[Mapping[int, str]] = {
    0: "certificate_wrong_host",
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    62: "certificate_wrong_host",
    64: "certificate_wrong_host",
}


def _classify(curl: Any, number: int) -> tuple[str, bool]:
    """A code, and whether the fault is ours."""
    if number == pycurl.E_OPERATION_TIMEDOUT:
        return ("timeout" if curl.getinfo(pycurl.CONNECT_TIME) else "connect_timeout"), False
    if number == pycurl.E_PEER_FAILED_VERIFICATION:
        return _VERIFY_CODES.get(curl.getinfo(pycurl.SSL_VERIFYRESULT), "certificate_untrusted"), False
    if number == pycurl.E_COULDNT_CONNECT:
        return _ERRNOS.get(curl.getinfo(pycurl.OS_ERRNO), ("connection_refused", False))
    if number in _CODES:
        return _CODES[number], False
    return "libcurl_failed", True


_SENTENCES: Final[Mapping[str, Callable[[HttpRequest], str]]] = {
    "timeout": lambda request: f"no complete answer within {request.timeout:g} s",
    "connect_timeout": lambda request: f"no connection within {request.timeout:g} s",
    "connection_refused": lambda _: "connection refused",
    "connection_reset": lambda _: "the connection was reset",
    "dns_not_found": lambda _: "the host name does not resolve",
    "protocol_no_answer": lambda _: "the connection was closed without an answer",
    "protocol_truncated": lambda _: "the body ends too early",
}


def _sentence(code: str, text: str, request: HttpRequest) -> str:
    known = _SENTENCES.get(code)
    return known(request) if known else f"{code.replace('_', ' ')}: {text}"
