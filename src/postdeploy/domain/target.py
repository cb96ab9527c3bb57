"""A named environment under verification."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from postdeploy.domain.access import SAFE_METHODS, Access, AccessMode, AllowRule, DenyRule, Location
from postdeploy.domain.policy import Policy
from postdeploy.domain.redaction import Secret
from postdeploy.domain.selection import Selector
from postdeploy.lazy_dataclass import dataclass, field

__all__ = [
    "NEVER",
    "SAFE_METHODS",
    "Access",
    "AccessMode",
    "AllowRule",
    "Budget",
    "Control",
    "DenyRule",
    "Location",
    "Login",
    "Maintenance",
    "ReleaseSource",
    "ReleaseWait",
    "Server",
    "Service",
    "Target",
]


NEVER: Final = "never"
"""A credential that does not end, or whose end is none of our business."""


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


@dataclass(frozen=True, slots=True)
class Budget:
    """How much traffic a run may cause, over all its processes.

    Args:
        requests: in all; None: no limit.
        per_second: requests in any second; None: no limit.
        in_flight: requests on their way at once.
        bytes: of answers in all; None: no limit.
    """

    requests: int | None = None
    per_second: float | None = None
    in_flight: int = 50
    bytes: int | None = None

    @property
    def bounds(self) -> bool:
        """Whether it says anything."""
        return self != Budget()

    def share(self, of: int) -> Budget:
        """What each of several machines may cause, so that all of them together keep to this."""
        return Budget(
            requests=None if self.requests is None else max(self.requests // of, 1),
            per_second=None if self.per_second is None else self.per_second / of,
            in_flight=max(self.in_flight // of, 1),
            bytes=None if self.bytes is None else max(self.bytes // of, 1),
        )


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
        expires: by the name of a secret, the first day (UTC, ``YYYY-MM-DD``) on which it is refused, or ``never``.
        notice: days before a credential expires from which on there is a warning.
    """

    url: str | None = None
    name: str | None = None
    skew: float = 60.0
    timeout: float = 3.0
    login: Login | None = None
    expires: Mapping[str, str] = field(default_factory=dict)
    notice: int = 7


@dataclass(frozen=True, slots=True)
class Target:
    """A named environment: where its services are, what may be done to it, and how it is judged.

    Args:
        third_party: other hosts that pages may use: ``host``, ``host:port`` or ``*.domain``.
        connect: ``host:port`` that Python tests may connect to by other means than our clients.
        programs: names of programs that Python tests may start.
        config_digest: SHA-256 over the resolved entry of targets.yaml without secret values.
        vantage: where this run verifies it from, if it was told.
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
    third_party: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    config_digest: str = ""
    vantage: str | None = None

    def passed_over(self, vantages: Collection[str]) -> str | None:
        """Why a check that runs at certain vantages is left out from where we are, or None if it is not."""
        if not vantages or self.vantage in vantages:
            return None
        return f"for vantage {', '.join(vantages)}, this is {self.vantage or 'none of them'}"

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
