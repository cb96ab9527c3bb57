"""What is remembered of a run: small enough to keep for years, as JSON and back without loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postdeploy.domain.reading import array, count, flag, mapping, number, optional_text, text
from postdeploy.domain.result import Outcome
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["CheckMemory", "RunMemory"]


@dataclass(frozen=True, slots=True)
class CheckMemory:
    """What is remembered of one check of a run.

    Args:
        duration: seconds of the last attempt; None if there was none.
        phases: seconds by phase of its last exchange.
        message: why it did not pass, or not at once; one line.
        quarantine: the entry that keeps its failures from counting, if it has one.
    """

    id: str
    name: str
    kind: str
    severity: str
    outcome: Outcome
    owner: str | None = None
    flaky: bool = False
    attempts: int = 0
    duration: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    message: str | None = None
    quarantine: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "severity": self.severity,
            "outcome": self.outcome.value,
            "owner": self.owner,
            "flaky": self.flaky,
            "attempts": self.attempts,
            "duration": self.duration,
            "phases": dict(self.phases),
            "message": self.message,
            "quarantine": dict(self.quarantine) if self.quarantine else None,
        }

    @classmethod
    def from_json(cls, raw: object) -> CheckMemory:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        duration, quarantine = fields["duration"], fields.get("quarantine")
        return cls(
            id=text(fields["id"]),
            name=text(fields["name"]),
            kind=text(fields["kind"]),
            severity=text(fields["severity"]),
            outcome=Outcome(text(fields["outcome"])),
            owner=optional_text(fields["owner"]),
            flaky=flag(fields["flaky"]),
            attempts=count(fields["attempts"]),
            duration=None if duration is None else number(duration),
            phases={name: number(seconds) for name, seconds in mapping(fields["phases"]).items()},
            message=optional_text(fields["message"]),
            quarantine=None if quarantine is None else _texts(quarantine),
        )


@dataclass(frozen=True, slots=True)
class RunMemory:
    """What is remembered of one run; times are seconds since the epoch.

    Args:
        release: the expected release, or the only one that answered.
        observed: by service, the release that answered when the checks started.
        policy: digest of the policy.
        config: digest of the target's entry in targets.yaml.
        complete: whether the run finished and was not narrowed.
    """

    id: str
    target: str
    mode: str
    started: float
    finished: float
    verdict: str
    reason: str
    action: str
    summary: str
    expected: str | None
    release: str | None
    observed: Mapping[str, str]
    policy: str
    config: str | None
    tool: str
    url: str | None
    complete: bool
    checks: tuple[CheckMemory, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in {"observed", "checks"}}
        return plain | {"observed": dict(self.observed), "checks": [check.to_json() for check in self.checks]}

    @classmethod
    def from_json(cls, raw: object) -> RunMemory:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(
            **_plain(fields),
            started=number(fields["started"]),
            finished=number(fields["finished"]),
            observed=_texts(fields["observed"]),
            complete=flag(fields["complete"]),
            checks=tuple(CheckMemory.from_json(check) for check in array(fields["checks"])),
        )


def _plain(fields: Mapping[str, object]) -> dict[str, Any]:
    needed = ("id", "target", "mode", "verdict", "reason", "action", "summary", "policy", "tool")
    texts: dict[str, Any] = {name: text(fields[name]) for name in needed}
    return texts | {name: optional_text(fields[name]) for name in ("expected", "release", "config", "url")}


def _texts(raw: object) -> dict[str, str]:
    return {name: text(value) for name, value in mapping(raw).items()}
