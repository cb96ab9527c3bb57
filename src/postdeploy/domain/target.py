"""A named environment under verification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit, urlunsplit

from postdeploy.domain.policy import Policy
from postdeploy.domain.redaction import Secret
from postdeploy.domain.selection import Selector

__all__ = [
    "SAFE_METHODS",
    "Access",
    "AccessMode",
    "AllowRule",
    "Budget",
    "Control",
    "Location",
    "Login",
    "Maintenance",
    "ReleaseSource",
    "ReleaseWait",
    "Server",
    "Service",
    "Target",
]

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


@dataclass(frozen=True, slots=True)
class Service:
    """A named origin of a target, with the path below which its resources live; ``url`` has no trailing slash.

    ``health`` is a path that answers below 500 when the service is up; without it any answer counts as up.
    """

    name: str
    url: str
    health: str | None = None

    def resolve(self, path: str) -> str:
        """The URL of a path on this service."""
        return self.url + path if path.startswith("/") else f"{self.url}/{path}"

    def websocket(self, path: str) -> str:
        """The WebSocket URL of a path on this service: ws for http, wss for https."""
        parts = urlsplit(self.resolve(path))
        return urlunsplit(parts._replace(scheme="wss" if parts.scheme == "https" else "ws"))

    @property
    def scheme(self) -> str:
        """Either ``http`` or ``https``."""
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """Host name or address, lower case, without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port, explicit or the scheme's own."""
        return urlsplit(self.url).port or (443 if self.scheme == "https" else 80)

    @property
    def origin(self) -> str:
        """``scheme://host[:port]`` as in RFC 6454: lower case, without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        own = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{host}" + ("" if self.port == own else f":{self.port}")


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
class Access:
    """Whether a run may write to a target, and the exceptions."""

    mode: AccessMode = AccessMode.READ_ONLY
    allow: tuple[AllowRule, ...] = ()

    def permits(self, method: str, location: Location) -> bool:
        """Whether a request may be sent."""
        if self.mode is AccessMode.READ_WRITE or method.upper() in SAFE_METHODS:
            return True
        return any(rule.covers(method, location) for rule in self.allow)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much traffic a run may cause: requests in all, requests a second (None: no limit), and in flight at once."""

    requests: int | None = None
    per_second: float | None = None
    in_flight: int = 50


@dataclass(frozen=True, slots=True)
class ReleaseSource:
    """Where a service says which release it is: a JSON value of an answer, else a header, else its whole text."""

    location: Location
    selector: Selector | None = None


@dataclass(frozen=True, slots=True)
class ReleaseWait:
    """How to wait for a release.

    Args:
        sources: one for every service that declares its release.
        header: response header that names the release on ordinary answers, lower case, if there is one.
        within: seconds to wait for the expected release.
        consecutive: matching answers in a row, each over a fresh connection, that each source must give.
        interval: seconds between two polls of one source.
    """

    sources: tuple[ReleaseSource, ...]
    header: str | None = None
    within: float = 180.0
    consecutive: int = 3
    interval: float = 0.5


@dataclass(frozen=True, slots=True)
class Server:
    """A local server that a run starts by itself and ends afterwards; ``ready`` answers 2xx when it may be used."""

    command: tuple[str, ...]
    ready: Location
    within: float = 30.0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Login:
    """One POST by which an account shows that it is accepted.

    Args:
        location: where accounts log in.
        test: the JSON body with the account that the checks use, each key with the name of a secret.
        control: the same with an account that nothing else uses.
    """

    location: Location
    test: Mapping[str, str]
    control: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Maintenance:
    """How a service says that it is closed on purpose: by a header (lower case), by a text in its answer, or both."""

    header: str | None = None
    contains: str | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """How a target lets the runner be told from itself; without any of it the runner has its route and resolver only.

    Args:
        url: answers 2xx, and shares nothing with the target that could fail together with it.
        name: always resolves; None: the host of ``url``.
        skew: seconds by which the clock of the runner may be wrong.
        timeout: seconds for each question.
        login: tells wrong credentials from a broken login.
    """

    url: str | None = None
    name: str | None = None
    skew: float = 60.0
    timeout: float = 3.0
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A named environment: where its services are, what may be done to it, and how it is judged.

    ``config_digest`` is SHA-256 over the resolved entry of targets.yaml without secret values.
    """

    name: str
    services: Mapping[str, Service]
    access: Access = field(default_factory=Access)
    budget: Budget = field(default_factory=Budget)
    policy: Policy = field(default_factory=Policy)
    release: ReleaseWait | None = None
    control: Control = field(default_factory=Control)
    maintenance: Maintenance = field(default_factory=Maintenance)
    server: Server | None = None
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    config_digest: str = ""

    def url(self, location: Location) -> str:
        """The URL of a place. Raises KeyError for an unknown service."""
        return self.services[location.service].resolve(location.path)

    def locate(self, url: str) -> Location | None:
        """The place that a URL names, if it lies on one of the services (the longest match wins)."""
        best: Service | None = None
        for service in self.services.values():
            rest = url[len(service.url) :] if url.startswith(service.url) else None
            inside = rest is not None and (not rest or rest[0] in "/?#")
            if inside and (best is None or len(service.url) > len(best.url)):
                best = service
        if best is not None:
            return Location(best.name, url[len(best.url) :].split("#", 1)[0] or "/")
        return None
