"""What came of a check: outcome, attempts, findings; JSON builtins on request, back again without loss."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from postdeploy.domain.reading import array, count, flag, mapping, number, optional_text, text
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["Attempt", "CheckResult", "Fault", "Finding", "Outcome"]


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the target: a stable code, what it is about, expected and observed.

    Codes: ``mismatch``, ``unreadable``, ``assertion``, ``timeout``, and the codes of ProbeError.
    """

    code: str
    subject: str
    expected: str
    observed: str
    step: int = 0
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.subject}: expected {self.expected}, got {self.observed}"

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {
            "code": self.code,
            "subject": self.subject,
            "expected": self.expected,
            "observed": self.observed,
            "step": self.step,
            "line": self.line,
            "column": self.column,
        }

    @classmethod
    def from_json(cls, raw: object) -> Finding:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(
            code=text(fields["code"]),
            subject=text(fields["subject"]),
            expected=text(fields["expected"]),
            observed=text(fields["observed"]),
            step=count(fields.get("step", 0)),
            line=count(fields.get("line", 0)),
            column=count(fields.get("column", 0)),
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """A transport failure or an answer of 500 and above: where, and a code such as ``http_503``."""

    url: str
    code: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a check.

    Args:
        outcome: passed, failed or errored.
        started: seconds since the epoch.
        duration: seconds.
        phases: seconds by phase of the last exchange (dns, connect, tls, first_byte, transfer).
        findings: what was wrong, if it failed.
        error: why we could not tell, if it errored, or the message of a failing Python test.
        exchanges: how often the target answered.
        releases: which releases answered, as far as they said so.
        excerpt: what came, in a few lines.
        curl: a command that does the same.
        evidence: paths below the reports folder.
        fault: what points at a service as a whole rather than at this check, if anything does.
        status: of the last answer by HTTP, if the attempt did not pass.
        code: a stable word for the error of a probe, if it errored by one.
        expires: when the first certificate of a TLS probe does, in seconds since the epoch.
    """

    outcome: Outcome
    started: float
    duration: float
    phases: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    error: str | None = None
    exchanges: int = 0
    releases: tuple[str, ...] = ()
    excerpt: str = ""
    curl: str | None = None
    evidence: tuple[str, ...] = ()
    fault: Fault | None = None
    status: int | None = None
    code: str | None = None
    expires: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins, without what is empty."""
        document: dict[str, Any] = {
            "outcome": self.outcome.value,
            "started": round(self.started, 6),
            "duration": round(self.duration, 6),
            "exchanges": self.exchanges,
        }
        optional: dict[str, Any] = {
            "phases": {name: round(seconds, 6) for name, seconds in self.phases.items()} if self.phases else None,
            "findings": [finding.to_json() for finding in self.findings] if self.findings else None,
            "error": self.error,
            "releases": list(self.releases) or None,
            "excerpt": self.excerpt or None,
            "curl": self.curl,
            "evidence": list(self.evidence) or None,
            "fault": {"url": self.fault.url, "code": self.fault.code} if self.fault else None,
            "status": self.status,
            "code": self.code,
            "expires": self.expires,
        }
        return document | {key: value for key, value in optional.items() if value is not None}

    @classmethod
    def from_json(cls, raw: object) -> Attempt:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        fault, status, expires = fields.get("fault"), fields.get("status"), fields.get("expires")
        return cls(
            outcome=Outcome(text(fields["outcome"])),
            started=number(fields["started"]),
            duration=number(fields["duration"]),
            phases={name: number(seconds) for name, seconds in mapping(fields.get("phases", {})).items()},
            findings=tuple(map(Finding.from_json, array(fields.get("findings", ())))),
            error=optional_text(fields.get("error")),
            exchanges=count(fields["exchanges"]),
            releases=tuple(map(text, array(fields.get("releases", ())))),
            excerpt=text(fields.get("excerpt", "")),
            curl=optional_text(fields.get("curl")),
            evidence=tuple(map(text, array(fields.get("evidence", ())))),
            fault=None if fault is None else Fault(text(mapping(fault)["url"]), text(mapping(fault)["code"])),
            status=None if status is None else count(status),
            code=optional_text(fields.get("code")),
            expires=None if expires is None else number(expires),
        )


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check: all attempts are kept.

    Args:
        reason: why it was skipped, blocked, or not run.
        blocked_by: the service whose failure blocked it.
        by_policy: whether it was skipped by policy (``when``, read-only access), which never counts against a verdict.
    """

    check_id: str
    outcome: Outcome
    attempts: tuple[Attempt, ...] = ()
    reason: str | None = None
    blocked_by: str | None = None
    by_policy: bool = False

    @property
    def flaky(self) -> bool:
        """Passed, but not on the first attempt."""
        return self.outcome is Outcome.PASSED and any(a.outcome is not Outcome.PASSED for a in self.attempts)

    @property
    def exchanges(self) -> int:
        """How often the target answered, over all attempts."""
        return sum(attempt.exchanges for attempt in self.attempts)

    @property
    def last(self) -> Attempt | None:
        """The last attempt."""
        return self.attempts[-1] if self.attempts else None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {
            "check": self.check_id,
            "outcome": self.outcome.value,
            "attempts": [attempt.to_json() for attempt in self.attempts],
            "reason": self.reason,
            "blocked_by": self.blocked_by,
            "by_policy": self.by_policy,
        }

    @classmethod
    def from_json(cls, raw: object) -> CheckResult:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(
            check_id=text(fields["check"]),
            outcome=Outcome(text(fields["outcome"])),
            attempts=tuple(map(Attempt.from_json, array(fields["attempts"]))),
            reason=optional_text(fields.get("reason")),
            blocked_by=optional_text(fields.get("blocked_by")),
            by_policy=flag(fields.get("by_policy", False)),
        )
