"""What a run may ask of a target: a place, a method, and the rules that permit or deny them."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import unquote

from postdeploy.lazy_dataclass import dataclass

__all__ = ["SAFE_METHODS", "Access", "AccessMode", "AllowRule", "DenyRule", "Location"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that do not change the target: RFC 9110 §9.2.1, without TRACE."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place on a service, written ``service:/path`` (the path may carry a query)."""

    service: str
    path: str

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.service}:{self.path}"


class AccessMode(StrEnum):
    """What a run may do to a target."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"


@dataclass(frozen=True, slots=True)
class AllowRule:
    """One exception to read-only access, written ``METHOD service:/path``; the path may hold ``*``."""

    method: str
    location: Location

    def covers(self, method: str, location: Location) -> bool:
        """Whether this rule permits the method at the place (queries do not count).

        A path with ``..`` is never covered: browsers and servers take it for another path.
        """
        path = location.path.split("?", 1)[0]
        same = self.method == method.upper() and self.location.service == location.service
        return same and not _wanders(path) and _like(self.location.path, path)

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.method} {self.location}"


def _wanders(path: str) -> bool:
    return bool({".", ".."} & set(re.split(r"[/\\]", unquote(path))))


def _like(pattern: str, path: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), path, re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class DenyRule:
    """A path that nobody may ask for by any method, such as ``/logout`` or ``api:/admin/*``; without service: on each.

    A pattern with ``?`` is held against path and query, any other against the path alone.
    """

    path: str
    service: str | None = None

    def covers(self, location: Location) -> bool:
        """Whether this rule denies the place, however servers may spell it: case, escapes, slashes, parameters."""
        if self.service not in {None, location.service}:
            return False
        path, _, query = location.path.partition("?")
        plain = _spelt(path) + (f"?{unquote(query).lower()}" if "?" in self.path else "")
        pattern, _, asked = self.path.lower().partition("?")
        return _like((pattern.rstrip("/") or "/") + (f"?{asked}" if asked else ""), plain)

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.service}:{self.path}" if self.service else self.path


def _spelt(path: str) -> str:
    segments = (segment.partition(";")[0] for segment in unquote(path).lower().split("/"))
    return "/" + "/".join(filter(None, segments))


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a run may write to a target, and the exceptions.

    ``protected``: writes need that the run was ``granted`` them on the command line, too.
    """

    mode: AccessMode = AccessMode.READ_ONLY
    allow: tuple[AllowRule, ...] = ()
    deny: tuple[DenyRule, ...] = ()
    protected: bool = False
    granted: bool = False

    @property
    def sealed(self) -> bool:
        """Whether nothing may be written because the command line did not say so."""
        return self.protected and not self.granted

    @property
    def writable(self) -> bool:
        """Whether any request may be sent that is not denied."""
        return self.mode is AccessMode.READ_WRITE and not self.sealed

    def permits(self, method: str, location: Location, *, body: bool = False) -> bool:
        """Whether a request may be sent; one with a body is a write by any method."""
        if self.denial(location) is not None:
            return False
        if self.writable or (method.upper() in SAFE_METHODS and not body):
            return True
        return not self.sealed and any(rule.covers(method, location) for rule in self.allow)

    def denial(self, location: Location) -> DenyRule | None:
        """The rule that denies a place, if there is one."""
        return next((rule for rule in self.deny if rule.covers(location)), None) if self.deny else None
