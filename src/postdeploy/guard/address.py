"""Where a URL really leads: decided on its normal form (RFC 3986 §6.2), as browsers and servers will take it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from postdeploy.domain.target import Location, Service, Target

__all__ = ["is_ambiguous", "locate"]

_Split = tuple[tuple[str, str, int], str, str]
"""Origin (scheme, host and port), path, and query."""

_PORTS: Final = {"http": 80, "https": 443}
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\]")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE: Final = "%/:?#[]@!$&'()*+,;=|^`{}\"<>"
_PLAIN: Final = re.compile(r"(https?://[a-z0-9.:-]+)((?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?)(?:\?([!\"$-~]*))?")
"""A URL without user, upper-case host, escapes, empty or dotted segments, or fragment."""

_DECODED: Final = 4
"""How often a path is decoded in search of hidden dots: proxies and servers may each do it once."""


def locate(target: Target, url: str) -> Location | None:
    """The place that a URL names if it lies on a service of the target (the longest path wins), in normal form.

    None too for what no service can be: a user name, a backslash, a blank, a control character, a port that is none.
    """
    split = _split_plain(url) or _split(url)
    if split is None:
        return None
    origin, path, query = split
    inside = [
        service for service in target.services.values() if _origin_of(service.url) == origin and _holds(service, path)
    ]
    if not inside:
        return None
    best = inside[0] if len(inside) == 1 else max(inside, key=lambda service: len(_base(service)))
    rest = path[len(_base(best)) :] or "/"
    return Location(best.name, f"{rest}?{query}" if query else rest)


def _split_plain(url: str) -> _Split | None:
    """The parts of a URL that is in normal form as it stands, as most are; None leaves it to ``_split``."""
    match = _PLAIN.fullmatch(url)
    origin = _origin_of(match[1]) if match else None
    return None if match is None or origin is None else (origin, match[2] or "/", match[3] or "")


def _split(url: str) -> _Split | None:
    """Origin, path and query in normal form; None for what no service can be."""
    if _FORBIDDEN.search(url.partition("?")[0].partition("#")[0]):
        return None
    origin = _origin(url)
    return None if origin is None else (origin, _path(url), urlsplit(url).query)


def is_ambiguous(path: str) -> bool:
    """Whether another reader could take a path for another one: dots, also hidden behind escapes or parameters."""
    path = path.partition("?")[0]
    for _ in range(_DECODED):
        segments = {segment.partition(";")[0] for segment in re.split(r"[/\\]", path)}
        if segments & {".", ".."}:
            return True
        path = unquote(path)
    return False


def _holds(service: Service, path: str) -> bool:
    base = _base(service)
    return path == base or path.startswith(f"{base}/")


def _base(service: Service) -> str:
    return _base_of(service.url)


@lru_cache(maxsize=64)
def _base_of(url: str) -> str:
    return _path(url).rstrip("/")


@lru_cache(maxsize=64)
def _origin_of(url: str) -> tuple[str, str, int] | None:
    return _origin(url)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, _host(parts.hostname), _PORTS[parts.scheme] if port is None else port


def _host(host: str) -> str:
    """Lower case, without the root's dot, international names as they are looked up.

    A name that one standard maps to another name than the next one does (IDNA 2003 and UTS 46: ``straße``, or letters
    that one of them leaves out) stays as it is, so that it is no other one.
    """
    host = host.lower().removesuffix(".")
    if host.isascii():
        return host
    try:
        looked_up = host.encode("idna")
        return looked_up.decode("ascii") if looked_up.decode("idna") == host else host
    except UnicodeError:
        return host


def _path(url: str) -> str:
    plain = _ESCAPE.sub(_unescape, urlsplit(url).path)
    encoded = quote(plain, safe=_SAFE, encoding="utf-8", errors="backslashreplace")
    return "/" + "/".join(_without_dots(encoded.split("/")[1:]))


def _unescape(match: re.Match[str]) -> str:
    """Escapes of letters that need none are undone; the others get capital digits."""
    letter = chr(int(match[1], 16))
    return letter if letter in _UNRESERVED else match[0].upper()


def _without_dots(segments: list[str]) -> Iterator[str]:
    """RFC 3986 §5.2.4."""
    kept: list[str] = []
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "..":
            del kept[-1:]
        if segment not in {".", ".."}:
            kept.append(segment)
        elif last:
            kept.append("")
    yield from kept
