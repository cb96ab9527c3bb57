"""One verification: what it sends, what it expects, how much it weighs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from postdeploy.domain.expectation import Expectation
from postdeploy.domain.policy import Severity
from postdeploy.domain.quarantine import Quarantine
from postdeploy.domain.selection import Selector
from postdeploy.domain.target import SAFE_METHODS, Location
from postdeploy.lazy_dataclass import dataclass, field

__all__ = [
    "ISSUE",
    "Check",
    "DnsProbe",
    "HttpProbe",
    "Kind",
    "PageProbe",
    "Probe",
    "Repeat",
    "Save",
    "Step",
    "TcpProbe",
    "TlsProbe",
    "WebsocketProbe",
    "When",
    "authorization",
]

ISSUE: Final = r"https?://[^\s/?#]+\S*"
"""What the place of an issue looks like."""

_BASIC = "basic "
_BEARER = "bearer "


class Kind(StrEnum):
    """What a check is about."""

    HEALTH = "health"
    API = "api"
    UI = "ui"


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """A request. ``has_json`` tells a JSON null from no body; ``auth`` is the Authorization header."""

    method: str
    location: Location
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None
    has_json: bool = False
    body: str | None = None
    auth: str | None = None
    follow: bool = False

    @property
    def service(self) -> str:
        """The service that it goes to."""
        return self.location.service

    @property
    def writes(self) -> bool:
        """Whether its method may change the target."""
        return self.method not in SAFE_METHODS

    @property
    def has_body(self) -> bool:
        """Whether it carries a body."""
        return self.has_json or self.body is not None


@dataclass(frozen=True, slots=True)
class TlsProbe:
    """A handshake with a service."""

    service: str
    writes = False


@dataclass(frozen=True, slots=True)
class DnsProbe:
    """A look-up of a service's host name."""

    service: str
    writes = False


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """A connection to a service's host, on its own port or another one; ``banner``: wait for the first bytes."""

    service: str
    port: int | None = None
    banner: bool = False
    writes = False


@dataclass(frozen=True, slots=True)
class WebsocketProbe:
    """A WebSocket session: send the texts in turn, then read until ``receive`` messages have come."""

    location: Location
    send: tuple[str, ...] = ()
    receive: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: str | None = None
    writes = False

    @property
    def service(self) -> str:
        """The service that it goes to."""
        return self.location.service


@dataclass(frozen=True, slots=True)
class PageProbe:
    """A page in a browser, and the selectors that its expectations ask about."""

    location: Location
    selectors: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    writes = False

    @property
    def service(self) -> str:
        """The service that it goes to."""
        return self.location.service


def authorization(text: str) -> str:
    """The Authorization header for ``bearer TOKEN`` or ``basic user:password``; every other text stays as it is.

    It must see the password, so it is called where placeholders are filled in. A finished header does not change.
    """
    kind, rest = text[:7].lower(), text[7:].strip()
    if kind == _BEARER:
        return f"Bearer {rest}"
    if kind.startswith(_BASIC) and ":" in text:
        return f"Basic {b64encode(text[len(_BASIC) :].strip().encode()).decode()}"
    return text


Probe = HttpProbe | TlsProbe | DnsProbe | TcpProbe | WebsocketProbe | PageProbe


@dataclass(frozen=True, slots=True)
class Save:
    """A value of an answer that later steps use as ``${name}``; a secret one is masked everywhere."""

    name: str
    selector: Selector | None
    header: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One probe with what is expected of it. ``timeout`` is in seconds; ``line`` and ``column`` are where it stands."""

    probe: Probe
    expectations: tuple[Expectation, ...] = ()
    save: tuple[Save, ...] = ()
    timeout: float = 10.0
    line: int = 0
    column: int = 0
    templated: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """How often a check is executed within one attempt, and how many of these must pass."""

    times: int = 1
    passes: int = 1


@dataclass(frozen=True, slots=True)
class When:
    """On which targets a check runs: on ``targets`` (all if empty) but never on ``excluded``."""

    targets: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def applies(self, target: str) -> bool:
        """Whether the check runs on the target of this name."""
        return target not in self.excluded and (not self.targets or target in self.targets)


@dataclass(frozen=True, slots=True)
class Check:
    """A declared check, which runs at certain vantages only if it names any.

    Its id is ``path::name`` unless the file gives one; ids are unique in a run.
    """

    id: str
    name: str
    kind: Kind
    path: str
    line: int
    column: int
    steps: tuple[Step, ...]
    cleanup: tuple[Step, ...] = ()
    severity: Severity = Severity.CRITICAL
    owner: str | None = None
    runbook: str | None = None
    issues: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    when: When = When()
    repeat: Repeat = Repeat()
    repeatable: bool = False
    quarantine: Quarantine | None = None
    vantages: tuple[str, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it talks to, each once, in order."""
        return tuple(dict.fromkeys([step.probe.service for step in (*self.steps, *self.cleanup)]))

    @property
    def writes(self) -> bool:
        """Whether any of its steps may change the target."""
        return any(step.probe.writes for step in (*self.steps, *self.cleanup))

    @property
    def templated(self) -> bool:
        """Whether any of its steps names a variable."""
        return any(step.templated for step in (*self.steps, *self.cleanup))

    @property
    def may_repeat(self) -> bool:
        """Whether a failing attempt may be followed by another one."""
        return self.repeatable or not self.writes
