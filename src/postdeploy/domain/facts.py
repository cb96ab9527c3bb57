"""What a run may find out: planned checks, services, releases, incidents, a baseline; from JSON and back, strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from postdeploy.domain.policy import Severity
from postdeploy.domain.quarantine import Quarantine
from postdeploy.domain.reading import array, count, flag, mapping, number, optional_text, text
from postdeploy.domain.result import Outcome
from postdeploy.lazy_dataclass import dataclass, field

__all__ = [
    "ANSWERED_WRONGLY",
    "SILENT",
    "UNSEEN",
    "Baseline",
    "Incident",
    "PlannedCheck",
    "ReleaseEvidence",
    "ServiceState",
    "Wait",
]

ANSWERED_WRONGLY: Final = ("certificate_", "tls_", "not_tls", "http_", "protocol_")
"""Beginnings of the codes of a service that is there, and wrong."""

SILENT: Final = frozenset({"connect_timeout", "connection_failed", "host_unreachable", "dns_not_found"})
"""Codes of faults in which nothing of the target spoke: the network of the runner may be to blame as well."""

UNSEEN: Final = "?"
"""The release of a service that said none when it was asked again."""


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """A check as it was collected, before anything was deselected."""

    id: str
    name: str
    kind: str
    severity: Severity
    path: str
    line: int
    owner: str | None = None
    runbook: str | None = None
    services: tuple[str, ...] = ()
    may_repeat: bool = True
    quarantine: Quarantine | None = None
    vantages: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a pass needs it."""
        return self.severity is not Severity.MINOR

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins; ``quarantine``, ``vantages`` and ``issues`` only where there are any."""
        quarantine = {"quarantine": self.quarantine.to_json()} if self.quarantine else {}
        vantages = {"vantages": list(self.vantages)} if self.vantages else {}
        issues = {"issues": list(self.issues)} if self.issues else {}
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "severity": self.severity.value,
            "path": self.path,
            "line": self.line,
            "owner": self.owner,
            "runbook": self.runbook,
            "services": list(self.services),
            "may_repeat": self.may_repeat,
            **quarantine,
            **vantages,
            **issues,
        }

    @classmethod
    def from_json(cls, raw: object) -> PlannedCheck:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(
            id=text(fields["id"]),
            name=text(fields["name"]),
            kind=text(fields["kind"]),
            severity=Severity(text(fields["severity"])),
            path=text(fields["path"]),
            line=count(fields["line"]),
            owner=optional_text(fields["owner"]),
            runbook=optional_text(fields["runbook"]),
            services=tuple(map(text, array(fields["services"]))),
            may_repeat=flag(fields["may_repeat"]),
            quarantine=Quarantine.from_json(fields["quarantine"]) if "quarantine" in fields else None,
            vantages=tuple(map(text, array(fields.get("vantages", ())))),
            issues=tuple(map(text, array(fields.get("issues", ())))),
        )


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What preflight found of a service; ``attempts`` is how often it was asked in a row."""

    name: str
    live: bool
    code: str | None = None
    message: str | None = None
    target_fault: bool = True
    attempts: int = 1

    @property
    def answered_wrongly(self) -> bool:
        """Down, but there: it answered, and the answer was wrong."""
        return not self.live and bool(self.code) and str(self.code).startswith(ANSWERED_WRONGLY)

    @classmethod
    def from_json(cls, raw: object) -> ServiceState:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(
            name=text(fields["name"]),
            live=flag(fields["live"]),
            code=optional_text(fields["code"]),
            message=optional_text(fields["message"]),
            target_fault=flag(fields["target_fault"]),
            attempts=count(fields["attempts"]),
        )


@dataclass(frozen=True, slots=True)
class ReleaseEvidence:
    """Which release was expected, and which answered.

    Args:
        expected: as the pipeline said, or None.
        live: whether the expected release (or any one release) answered in time; None if nobody waited.
        waited: seconds.
        first: by service, the release when the checks started.
        last: by service, the release after the last check; ``?`` if the service did not say.
        counts: by service, how often each release answered while we waited.
        problem: why it did not become live.
    """

    expected: str | None = None
    live: bool | None = None
    waited: float = 0.0
    first: Mapping[str, str] = field(default_factory=dict)
    last: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    problem: str | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """The services that named one release before the checks and another one after them."""
        return tuple(name for name, last in self.last.items() if last not in {UNSEEN, self.first.get(name, last)})

    @classmethod
    def from_json(cls, raw: object) -> ReleaseEvidence:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        live = fields.get("live")
        return cls(
            expected=optional_text(fields["expected"]),
            live=None if live is None else flag(live),
            waited=number(fields.get("waited", 0.0)),
            first=_texts(fields.get("first", {})),
            last=_texts(fields.get("last", {})),
            counts={service: _counts(counts) for service, counts in mapping(fields.get("counts", {})).items()},
            problem=optional_text(fields.get("problem")),
        )


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run waited for before its checks, ``preflight`` or ``release``: since when, and how many seconds.

    Its requests carry the name as that of their check, so it is also that of the span above what the target records.
    """

    name: str
    began: float
    seconds: float

    @classmethod
    def from_json(cls, raw: object) -> Wait:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(text(fields["name"]), number(fields["began"]), number(fields["seconds"]))


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to the run rather than to the target; ``reason`` is a word of the closed list."""

    reason: str
    message: str

    @classmethod
    def from_json(cls, raw: object) -> Incident:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(text(fields["reason"]), text(fields["message"]))


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was known of the checks before this release."""

    release: str | None
    outcomes: Mapping[str, Outcome]
    source: str = ""

    @classmethod
    def from_json(cls, raw: object) -> Baseline:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        outcomes = {check: Outcome(text(outcome)) for check, outcome in mapping(fields["outcomes"]).items()}
        return cls(optional_text(fields["release"]), outcomes, text(fields["source"]))


def _texts(raw: object) -> dict[str, str]:
    return {name: text(value) for name, value in mapping(raw).items()}


def _counts(raw: object) -> dict[str, int]:
    return {name: count(value) for name, value in mapping(raw).items()}
