"""How evidence becomes a verdict, per target."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from postdeploy.domain.reading import count, mapping, number, text
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["Action", "Confirmation", "OnFailure", "OnMaintenance", "Policy", "Severity"]


class Severity(StrEnum):
    """How much a confirmed failure of a check weighs."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


class Action(StrEnum):
    """What the pipeline does."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"


class OnFailure(StrEnum):
    """What a confirmed failure of one severity asks for."""

    ROLLBACK = "rollback"
    HOLD = "hold"
    WARN = "warn"


class OnMaintenance(StrEnum):
    """What it means that a service is closed on purpose."""

    FAIL = "fail"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A failure counts after this many failing attempts, this many seconds apart."""

    attempts: int = 2
    spacing: float = 1.0


def _default_actions() -> Mapping[Severity, OnFailure]:
    return MappingProxyType(
        {Severity.CRITICAL: OnFailure.ROLLBACK, Severity.MAJOR: OnFailure.HOLD, Severity.MINOR: OnFailure.WARN}
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one target.

    Args:
        deadline: seconds that the whole run may take.
        confirm: when a failure counts.
        flaky: how many checks may pass only on a later attempt before the verdict is inconclusive.
        actions: what a confirmed failure of each severity asks for.
        on_maintenance: whether a service that says to be in maintenance has failed, or holds the pipeline.
    """

    deadline: float = 300.0
    confirm: Confirmation = field(default_factory=Confirmation)
    flaky: int = 3
    actions: Mapping[Severity, OnFailure] = field(default_factory=_default_actions)
    on_maintenance: OnMaintenance = OnMaintenance.FAIL

    def to_json(self) -> dict[str, object]:
        """As JSON builtins, for the journal."""
        return {
            "deadline": float(self.deadline),
            "confirm": {"attempts": self.confirm.attempts, "spacing": float(self.confirm.spacing)},
            "flaky": self.flaky,
            "on_inconclusive": Action.HOLD.value,
            "on_maintenance": self.on_maintenance.value,
            "actions": {severity.value: action.value for severity, action in self.actions.items()},
        }

    @classmethod
    def from_json(cls, raw: object) -> Policy:
        """Back from the journal. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        confirm, actions = mapping(fields["confirm"]), mapping(fields["actions"])
        return cls(
            deadline=number(fields["deadline"]),
            confirm=Confirmation(count(confirm["attempts"]), number(confirm["spacing"])),
            flaky=count(fields["flaky"]),
            actions=MappingProxyType({severity: OnFailure(text(actions[severity.value])) for severity in Severity}),
            on_maintenance=OnMaintenance(text(fields.get("on_maintenance", "fail"))),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the policy's canonical JSON."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
