"""What a browser says when a navigation fails, as stable codes; whose fault it is follows from the code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from postdeploy.errors import ProbeError

__all__ = ["BrowserError", "is_gone", "is_navigating", "navigation_fault"]

_NET_ERROR: Final = re.compile(r"net::(ERR_[A-Z0-9_]+)")

_CODES: Final[Mapping[str, tuple[str, str]]] = {
    "ERR_CONNECTION_REFUSED": ("connection_refused", "the connection was refused"),
    "ERR_CONNECTION_RESET": ("connection_reset", "the connection was reset"),
    "ERR_CONNECTION_CLOSED": ("connection_reset", "the connection was closed before an answer came"),
    "ERR_CONNECTION_ABORTED": ("connection_reset", "the connection was aborted"),
    "ERR_CONNECTION_FAILED": ("connection_failed", "no connection could be made"),
    "ERR_CONNECTION_TIMED_OUT": ("connect_timeout", "no connection came about in time"),
    "ERR_TIMED_OUT": ("timeout", "the request timed out"),
    "ERR_ADDRESS_UNREACHABLE": ("host_unreachable", "the address cannot be reached"),
    "ERR_NAME_NOT_RESOLVED": ("dns_not_found", "the host name does not resolve"),
    "ERR_EMPTY_RESPONSE": ("protocol_no_answer", "the connection was closed without an answer"),
    "ERR_INVALID_HTTP_RESPONSE": ("protocol_error", "the answer is not HTTP"),
    "ERR_INVALID_RESPONSE": ("protocol_error", "the answer is not valid"),
    "ERR_RESPONSE_HEADERS_TRUNCATED": ("protocol_truncated", "the answer ended within its headers"),
    "ERR_CONTENT_LENGTH_MISMATCH": ("protocol_truncated", "the answer ended early"),
    "ERR_INCOMPLETE_CHUNKED_ENCODING": ("protocol_truncated", "the answer ended early"),
    "ERR_CONTENT_DECODING_FAILED": ("protocol_error", "the answer cannot be decoded"),
    "ERR_TOO_MANY_REDIRECTS": ("protocol_redirects", "the redirects do not end"),
    "ERR_UNSAFE_REDIRECT": ("unsafe_redirect", "it redirects to an address that browsers refuse"),
    "ERR_CERT_AUTHORITY_INVALID": ("certificate_untrusted", "the certificate is not trusted"),
    "ERR_CERT_COMMON_NAME_INVALID": ("certificate_wrong_host", "the certificate is for another host"),
    "ERR_CERT_DATE_INVALID": ("certificate_expired", "the certificate has expired or is not valid yet"),
    "ERR_CERT_REVOKED": ("certificate_revoked", "the certificate is revoked"),
    "ERR_SSL_PROTOCOL_ERROR": ("tls_handshake", "the TLS handshake failed"),
    "ERR_SSL_VERSION_OR_CIPHER_MISMATCH": ("tls_handshake", "no common TLS version or cipher"),
    "ERR_HTTP2_PROTOCOL_ERROR": ("protocol_error", "the answer breaks the HTTP/2 protocol"),
    "ERR_QUIC_PROTOCOL_ERROR": ("protocol_error", "the answer breaks the QUIC protocol"),
    "ERR_ABORTED": ("navigation_aborted", "the address gives no page (a download, or an answer without content)"),
    "ERR_INVALID_AUTH_CREDENTIALS": ("credentials_refused", "the credentials are refused"),
}

_OUR_CODES: Final[Mapping[str, tuple[str, str]]] = {
    "ERR_UNSAFE_PORT": ("unsafe_port", "browsers never connect to this port"),
    "ERR_NAME_RESOLUTION_FAILED": ("resolver_unavailable", "no resolver answers this machine"),
    "ERR_DNS_SERVER_FAILED": ("resolver_unavailable", "the resolver of this machine failed"),
    "ERR_DNS_TIMED_OUT": ("resolver_timeout", "looking up the host name took too long"),
    "ERR_ACCESS_DENIED": ("not_permitted", "this machine does not permit the connection"),
    "ERR_ADDRESS_INVALID": ("no_free_port", "this machine has no local address or port left"),
    "ERR_ADDRESS_IN_USE": ("address_in_use", "the local address is in use already"),
    "ERR_NO_BUFFER_SPACE": ("out_of_memory", "this machine is out of resources"),
    "ERR_OUT_OF_MEMORY": ("out_of_memory", "this machine is out of memory"),
    "ERR_INTERNET_DISCONNECTED": ("network_unreachable", "this machine has no network"),
    "ERR_NETWORK_CHANGED": ("network_changed", "the network of this machine changed"),
    "ERR_NETWORK_ACCESS_DENIED": ("network_denied", "this machine may not use the network"),
    "ERR_PROXY_CONNECTION_FAILED": ("proxy_failed", "the proxy of this machine cannot be reached"),
    "ERR_TUNNEL_CONNECTION_FAILED": ("proxy_failed", "the proxy of this machine made no connection"),
    "ERR_INSUFFICIENT_RESOURCES": ("out_of_memory", "this machine is out of resources"),
    "ERR_BLOCKED_BY_CLIENT": ("blocked_by_client", "the request was stopped on this machine"),
    "ERR_INVALID_URL": ("invalid_url", "this is not a URL that browsers open"),
    "ERR_UNKNOWN_URL_SCHEME": ("invalid_url", "this is not a URL that browsers open"),
}


_NAVIGATING: Final = (
    "Execution context was destroyed",
    "Cannot find context",
    "Cannot find default execution context",
    "navigat",
)


class BrowserError(Exception):
    """What a browser, or its driver, said when it could not do something."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


def navigation_fault(text: str, url: str) -> ProbeError:
    """The error for a navigation to ``url`` that failed with this text of the browser."""
    found = _NET_ERROR.search(text)
    if found is None:
        return _own_fault(text, url)
    name = found.group(1)
    if name in _OUR_CODES:
        code, phrase = _OUR_CODES[name]
        return ProbeError(code, f"{phrase}: {url}", target_fault=False)
    code, phrase = _CODES.get(name) or _family(name)
    return ProbeError(code, f"{phrase}: {url}")


def _own_fault(text: str, url: str) -> ProbeError:
    if "crashed" in text:
        return ProbeError("page_crashed", f"the page at {url} crashed in the browser", target_fault=False)
    if is_gone(text):
        return ProbeError("page_closed", f"the page at {url} closed itself", target_fault=False)
    return ProbeError("browser_error", f"the browser could not open {url}: {text[:300]}", target_fault=False)


def _family(name: str) -> tuple[str, str]:
    for start, code in (
        ("ERR_CERT_", "certificate_untrusted"),
        ("ERR_SSL_", "tls_handshake"),
        ("ERR_BAD_SSL_", "tls_handshake"),
    ):
        if name.startswith(start):
            return code, f"the browser refused the connection as not secure ({name})"
    return "navigation_failed", f"the browser could not open the page ({name})"


def is_gone(text: str) -> bool:
    """Whether the text says that the browser, its page or its driver is not there any more."""
    return "has been closed" in text or "connection closed" in text.lower() or "Browser closed" in text


def is_navigating(text: str) -> bool:
    """Whether the text says that the page went elsewhere while it was looked at."""
    signs = (
        "Execution context was destroyed",
        "Cannot find context",
        "Cannot find default execution context",
        "navigat",
    )
    return any(sign in text for sign in signs)
