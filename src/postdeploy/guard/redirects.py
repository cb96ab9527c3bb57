"""The request that follows a redirect: one rule for every client of ours (RFC 9110 §15.4, and the Fetch standard)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

from postdeploy.errors import GuardRefusalError
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Hop", "following", "kept_headers", "same_origin"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD: Final = frozenset({307, 308})
_SEE_OTHER: Final = 303
_OF_A_BODY: Final = frozenset({"content-type", "content-length", "content-encoding", "transfer-encoding"})
_HARMLESS: Final = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "user-agent", "x-synthetic-test", "traceparent"}
)
"""Headers that another origin may see; any other one may be a credential, whatever it is called."""

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Hop:
    """One request on a chain of redirects."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bool = False


def following(hop: Hop, status: int, location: str | None) -> Hop | None:
    """The request after an answer, or None if the answer is no redirect.

    Another origin gets neither credentials nor a body: GuardRefusalError is raised where the method keeps one.
    Raises ValueError where the answer leads to no address.
    """
    if status not in _REDIRECTS or not location:
        return None
    url = urldefrag(urljoin(hop.url, location)).url
    urlsplit(url).port  # noqa: B018  # it raises for a port that is none
    method, body = _carried(hop, status)
    if body and not same_origin(hop.url, url):
        raise GuardRefusalError(
            f"{hop.method} {hop.url} was redirected to {url}: the body was not sent to another origin",
            allow="call that address itself",
        )
    return Hop(method, url, kept_headers(hop.headers, hop.url, url, body=body), body)


def kept_headers(headers: Mapping[str, str], before: str, after: str, *, body: bool) -> dict[str, str]:
    """The headers that go on to the next address: to another origin only those that tell nothing."""
    dropped = frozenset() if body else _OF_A_BODY
    same = same_origin(before, after)
    return {
        name: value
        for name, value in headers.items()
        if name.lower() not in dropped and (same or name.lower() in _HARMLESS)
    }


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have scheme, host and port in common."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _carried(hop: Hop, status: int) -> tuple[str, bool]:
    keeps = hop.method in {"GET", "HEAD"} or status in _KEEPS_METHOD
    if keeps or (status != _SEE_OTHER and hop.method != "POST"):
        return hop.method, hop.body
    return "GET", False
