"""Credentials that an answer issues: they are secret from the moment on that they arrive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from postdeploy.domain.secret import Secret, weakness

__all__ = ["cookies", "issued", "kept"]

_LOOKED_AT: Final = 64 * 1024
_LEAST: Final = 12
_MEMBER: Final = re.compile(
    rb'"([a-z_-]{0,40}(?:token|secret|password|jwt|session(?:[_-]?id)?|api[_-]?key|private[_-]?key))"'
    rb'\s*:\s*"([^"\\\x00-\x1f]{12,8192})"',
    re.IGNORECASE,
)
_HINTS: Final = (b"oken", b"ecret", b"assword", b"jwt", b"ession", b"key", b"Key")
_NAMED: Final = re.compile(
    r"token|secret|passw|jwt|session|auth|csrf|xsrf|bearer|credential|api[_-]?key|(?:^|[_.-])s?id$|sid$", re.IGNORECASE
)
"""Names of cookies and of what pages store under which a credential is kept."""

_COOKIE: Final = re.compile(r"([^=;\s]+)=\"?([^;\"]{12,4096})")


def issued(method: str, headers: Iterable[tuple[str, str]], body: bytes) -> Iterator[Secret]:
    """What the answer to a login or the like hands out: cookies, and members of JSON that are named like a token.

    Only answers to POST are looked at: what everybody gets for asking is no secret, and may be as many as requests.
    """
    if method != "POST":
        return
    for name, value in headers:
        cookie = _COOKIE.match(value) if name.lower() == "set-cookie" else None
        if cookie and weakness(cookie[2]) is None:
            yield Secret(cookie[1], cookie[2])
    head = body[:_LOOKED_AT]
    if any(hint in head for hint in _HINTS):
        for member in _MEMBER.finditer(head):
            text = member[2].decode("utf-8", "replace")
            if weakness(text) is None:
                yield Secret(member[1].decode("utf-8", "replace"), text)


def kept(pairs: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    """What a browser keeps by a name that says that it is a credential, or as JSON that holds one."""
    for name, value in pairs:
        text = value.strip('"')
        if _NAMED.search(name) and _fits(text):
            yield Secret(name, text)
        yield from issued("POST", (), value.encode("utf-8", "replace"))


def _fits(text: str) -> bool:
    return len(text) >= _LEAST and weakness(text) is None


def cookies(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Names and values of the cookies that an answer sets."""
    for name, value in headers:
        for line in value.split("\n") if name.lower() == "set-cookie" else ():
            cookie = _COOKIE.match(line)
            if cookie:
                yield cookie[1], cookie[2]
