"""Why an exchange came to nothing, by libcurl's numbers and errno, never by text."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, Final

import pycurl

from postdeploy.errors import ProbeError
from postdeploy.probes.faults import BY_ERRNO, BY_VERIFY_CODE, RESET, RESOLVER_TIMEOUT, Meaning
from postdeploy.probes.http_handles import reused
from postdeploy.probes.http_request import HttpRequest

__all__ = ["fault_of"]

_NO_CONNECTION: Final = Meaning("connection_failed", "no connection could be made")
_NOT_HTTP: Final = Meaning("protocol_not_http", "what came is not HTTP")
_HTTP2: Final = Meaning("protocol_http2", "the answer breaks HTTP/2")
_TLS: Final = Meaning("tls_handshake", "the TLS handshake failed")

_BY_NUMBER: Final[Mapping[int, Meaning]] = {
    pycurl.E_COULDNT_RESOLVE_HOST: Meaning("dns_not_found", "the host name does not resolve"),
    pycurl.E_GOT_NOTHING: Meaning("protocol_no_answer", "the connection was closed without an answer"),
    pycurl.E_PARTIAL_FILE: Meaning("protocol_truncated", "the body ends too early"),
    pycurl.E_FTP_WEIRD_SERVER_REPLY: _NOT_HTTP,
    pycurl.E_UNSUPPORTED_PROTOCOL: _NOT_HTTP,
    pycurl.E_BAD_CONTENT_ENCODING: Meaning("protocol_encoding", "the body has a transfer encoding that may not be"),
    pycurl.E_HTTP2: _HTTP2,
    92: _HTTP2,  # CURLE_HTTP2_STREAM, which pycurl does not name
    100: Meaning("protocol_too_large", "the answer has too many headers"),  # CURLE_TOO_LARGE, the same
    pycurl.E_URL_MALFORMAT: Meaning("invalid_request", "the address cannot be", target_fault=False),
    pycurl.E_OUT_OF_MEMORY: BY_ERRNO[errno.ENOMEM],
    pycurl.E_SSL_CACERT_BADFILE: Meaning(
        "authorities_unreadable", "the file of certificate authorities cannot be read", target_fault=False
    ),
}

_HOST_REFUSED: Final = frozenset({0, 1})
"""OpenSSL has nothing against the chain, or was not asked yet; then it is the host name that libcurl refused."""


def fault_of(curl: Any, number: int, text: str, request: HttpRequest) -> ProbeError:
    """The error of an exchange that libcurl ended with this number."""
    meaning = _meaning(curl, number, request) or Meaning("libcurl_failed", f"libcurl: {text}", target_fault=False)
    return ProbeError(meaning.code, meaning.text, target_fault=meaning.target_fault)


def _meaning(curl: Any, number: int, request: HttpRequest) -> Meaning | None:
    if number == pycurl.E_OPERATION_TIMEDOUT:
        return _late(curl, request)
    if number == pycurl.E_PEER_FAILED_VERIFICATION:
        return _untrusted(curl.getinfo(pycurl.SSL_VERIFYRESULT))
    if number == pycurl.E_COULDNT_CONNECT:
        return BY_ERRNO.get(curl.getinfo(pycurl.OS_ERRNO), _NO_CONNECTION)
    if number in {pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR}:
        own = BY_ERRNO.get(curl.getinfo(pycurl.OS_ERRNO), RESET)
        return RESET if own.target_fault else own
    if number == pycurl.E_SSL_CONNECT_ERROR:
        return RESET if BY_ERRNO.get(curl.getinfo(pycurl.OS_ERRNO)) is RESET else _TLS
    return _BY_NUMBER.get(number)


def _untrusted(verified: int) -> Meaning:
    wrong_host = verified in _HOST_REFUSED
    code = "certificate_wrong_host" if wrong_host else BY_VERIFY_CODE.get(verified, "certificate_untrusted")
    return Meaning(code, f"the certificate is not trusted: {code.removeprefix('certificate_').replace('_', ' ')}")


def _late(curl: Any, request: HttpRequest) -> Meaning:
    within = f"within {request.timeout:g} s"
    if reused(curl):
        return Meaning("timeout", f"no complete answer {within}")
    if not curl.getinfo(pycurl.NAMELOOKUP_TIME):
        return Meaning(RESOLVER_TIMEOUT.code, f"the host name was not looked up {within}", target_fault=False)
    if not curl.getinfo(pycurl.CONNECT_TIME):
        return Meaning("connect_timeout", f"no connection {within}")
    if request.url.startswith("https:") and not curl.getinfo(pycurl.APPCONNECT_TIME):
        return Meaning("timeout", f"no TLS handshake {within}")
    return Meaning("timeout", f"no complete answer {within}")
