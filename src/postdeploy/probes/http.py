"""HTTP through libcurl: one exchange, prepared on a handle and read back as an observation.

libcurl keeps its latencies true with many exchanges in flight. Bodies are decoded here, with a bound: libcurl has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pycurl

from postdeploy.domain.observation import HttpObservation
from postdeploy.errors import ProbeError
from postdeploy.guard.limits import BODY_LIMIT, HEADER_LIMIT, INTERIM_LIMIT, LINES_LIMIT
from postdeploy.probes.http_body import decode_body
from postdeploy.probes.http_handles import reused
from postdeploy.probes.http_request import HttpRequest

__all__ = ["Exchange"]

_SWITCHING: Final = 101
_BODILESS: Final = frozenset({204, 304})
"""RFC 9110 §6.4.1: their Content-Length speaks of something else."""

_VERSIONS: Final = {
    pycurl.CURL_HTTP_VERSION_1_0: "1.0",
    pycurl.CURL_HTTP_VERSION_1_1: "1.1",
    pycurl.CURL_HTTP_VERSION_2_0: "2",
    pycurl.CURL_HTTP_VERSION_3: "3",
}


class Exchange:
    """One request on one handle; the handle's owner performs it and calls ``observation`` or ``error`` afterwards."""

    __slots__ = ("_begun", "_body", "_header_size", "_headers", "_overflow", "request")

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self._headers: list[bytes] = []
        self._header_size = 0
        self._begun = 0
        self._body = bytearray()
        self._overflow: str | None = None

    @property
    def received(self) -> int:
        """Bytes that came so far."""
        return self._header_size + len(self._body)

    def prepare(self, curl: Any) -> None:
        """Set what this request needs on a handle that has every other option. Raises ProbeError."""
        request = self.request
        try:
            curl.setopt(pycurl.URL, request.address())
            curl.setopt(pycurl.TIMEOUT_MS, max(1, int(request.timeout * 1000)))
            curl.setopt(pycurl.HTTPHEADER, list(request.header_lines()))
            curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
            curl.setopt(pycurl.WRITEFUNCTION, self._on_body)
            if not request.plain:
                self._prepare_method(curl)
        except (pycurl.error, ValueError, TypeError) as error:
            raise ProbeError("invalid_request", f"the request cannot be sent ({error})", target_fault=False) from error

    def _prepare_method(self, curl: Any) -> None:
        method, body = self.request.method, self.request.body
        if method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif body is not None or method in {"POST", "PUT", "PATCH"}:
            curl.setopt(pycurl.POSTFIELDS, body or b"")
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        elif method != "GET":
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        if self.request.fresh:
            curl.setopt(pycurl.FRESH_CONNECT, 1)
            curl.setopt(pycurl.FORBID_REUSE, 1)

    def _on_header(self, line: bytes) -> int | None:
        self._header_size += len(line)
        if self._header_size > HEADER_LIMIT:
            return self._refuse(f"headers of more than {HEADER_LIMIT} bytes")
        self._headers.append(line)
        if line.startswith(b"HTTP/"):
            self._begun += 1
            if self._begun > INTERIM_LIMIT + 1:
                return self._refuse(f"more than {INTERIM_LIMIT} interim answers before it")
        if len(self._headers) > LINES_LIMIT:
            return self._refuse(f"more than {LINES_LIMIT} lines of headers")
        return None

    def _refuse(self, what: str) -> int:
        self._overflow = what
        return 0

    def _on_body(self, data: bytes) -> int | None:
        if len(self._body) + len(data) > BODY_LIMIT:
            return self._refuse(f"a body of more than {BODY_LIMIT} bytes")
        self._body += data
        return None

    def observation(self, curl: Any) -> HttpObservation:
        """What came. Raises ProbeError if it breaks the protocol, or the body cannot be decoded within its bound."""
        request = self.request
        total = curl.getinfo(pycurl.TOTAL_TIME)
        phases = _phases(curl, total, secure=request.url.startswith("https:"))
        headers = _parse_headers(self._headers)
        fields = dict(reversed(headers))
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        self._require_sound(status, fields, phases)
        return HttpObservation(
            place=request.place,
            duration=request.spent + total,
            phases=phases,
            release=fields.get(request.release_header) if request.release_header else None,
            method=request.method,
            url=request.url,
            status=status,
            headers=headers,
            body=self._decoded(headers, phases) if "content-encoding" in fields else bytes(self._body),
            http_version=_VERSIONS.get(curl.getinfo(pycurl.INFO_HTTP_VERSION), "1.1"),
            redirects=request.redirects,
            address=curl.getinfo(pycurl.PRIMARY_IP) or "",
        )

    def error(self, curl: Any, number: int, text: str) -> ProbeError:
        """Why nothing came; the time that is in no phase belongs to the one in which it ended."""
        phases = _phases(curl, curl.getinfo(pycurl.TOTAL_TIME), secure=self.request.url.startswith("https:"))
        if self._overflow:
            return ProbeError("protocol_too_large", f"the answer has {self._overflow}", phases=phases)
        if number == pycurl.E_RECV_ERROR and not curl.getinfo(pycurl.OS_ERRNO) and self._chunked():
            return ProbeError("protocol_chunks", "the body is not in chunks as its header says", phases=phases)
        from postdeploy.probes.http_faults import fault_of

        fault = fault_of(curl, number, text, self.request)
        fault.phases = phases
        return fault

    def _require_sound(self, status: int, fields: Mapping[str, str], phases: dict[str, float]) -> None:
        """What libcurl lets pass although the other end of the connection may read it in another way."""
        if status == _SWITCHING:
            raise ProbeError("protocol_upgrade", "it switches to a protocol that nobody asked for", phases=phases)
        told = fields.get("content-length")
        if told is None:
            return
        if "transfer-encoding" in fields:
            text = "the answer has both Content-Length and Transfer-Encoding (RFC 9112 §6.3)"
            raise ProbeError("protocol_ambiguous", text, phases=phases)
        came = len(self._body)
        if told != str(came) and self.request.method != "HEAD" and status not in _BODILESS and not _says(told, came):
            text = f"Content-Length is {told[:40]!r}, the body ends at offset {came}"
            raise ProbeError("protocol_length", text, phases=phases)

    def forget(self) -> None:
        """Let go of what came, since a handle keeps its last exchange."""
        self._headers.clear()
        self._body = bytearray()

    def _chunked(self) -> bool:
        return any(line.lower().startswith(b"transfer-encoding:") for line in self._headers)

    def _decoded(self, headers: tuple[tuple[str, str], ...], phases: dict[str, float]) -> bytes:
        encoding = ",".join(value for name, value in headers if name == "content-encoding")
        try:
            return decode_body(bytes(self._body), encoding)
        except ProbeError as error:
            error.phases = phases
            raise


def _says(told: str, length: int) -> bool:
    """Whether a Content-Length means this length, also where it is written oddly or several times."""
    return all(part.strip().lstrip("0").rjust(1, "0") == str(length) for part in told.split(","))


def _parse_headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    """The headers of the last answer, the others being informational (RFC 9110 §15.2); trailers come after them."""
    begin = max([index for index, line in enumerate(lines) if line.startswith(b"HTTP/")], default=-1) + 1
    text = b"".join(lines[begin:]).decode("utf-8", "backslashreplace")
    fields = [line.partition(":") for line in text.split("\n")]
    return tuple([(name.strip().lower(), value.strip()) for name, colon, value in fields if colon])


def _phases(curl: Any, total: float, *, secure: bool) -> dict[str, float]:
    """Seconds by phase from libcurl's cumulative times; they add up to the total.

    A reused connection has no dns, connect and tls.
    """
    if reused(curl):
        reached = {"first_byte": curl.getinfo(pycurl.STARTTRANSFER_TIME)}
    else:
        reached = {
            "dns": curl.getinfo(pycurl.NAMELOOKUP_TIME),
            "connect": curl.getinfo(pycurl.CONNECT_TIME),
            **({"tls": curl.getinfo(pycurl.APPCONNECT_TIME)} if secure else {}),
            "first_byte": curl.getinfo(pycurl.STARTTRANSFER_TIME),
        }
    phases, before = {}, 0.0
    for name, moment in (*reached.items(), ("transfer", total)):
        ended = not moment or name == "transfer"
        phases[name] = max(0.0, (total if ended else moment) - before)
        if ended:
            break
        before = moment
    return {name: seconds for name, seconds in phases.items() if seconds > 0}
