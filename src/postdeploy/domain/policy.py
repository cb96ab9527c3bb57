"""How evidence becomes a verdict, per target."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from postdeploy.domain.reading import array, count, mapping, number, text
from postdeploy.lazy_dataclass import dataclass, field

__all__ = [
    "VANTAGE_NAME",
    "Action",
    "Confirmation",
    "OnFailure",
    "OnMaintenance",
    "OnRegional",
    "Policy",
    "Quorum",
    "Severity",
]

VANTAGE_NAME: Final = "[a-z][a-z0-9-]{0,30}"
"""What a vantage may be called: it becomes part of folders, of ids of runs and of resources of workers."""

_QUORUM: Final = r"([0-9]{1,3}) of ([0-9]{1,3})"


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


class OnRegional(StrEnum):
    """What it means that a check fails at fewer vantages than make it a failure."""

    HOLD = "hold"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Quorum:
    """A check that fails at ``failing`` of ``of`` vantages has failed."""

    failing: int
    of: int

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.failing} of {self.of}"

    @property
    def passing(self) -> int:
        """How many vantages a pass needs.

        As many as a failure does, and so many that those left over could not have made one, whatever they had seen.
        """
        return max(self.failing, self.of - self.failing + 1)

    @classmethod
    def parse(cls, given: str) -> Quorum:
        """From ``2 of 3``. Raises ValueError for anything else."""
        match = re.fullmatch(_QUORUM, given)
        failing, of = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= failing <= of:
            raise ValueError(f"{given!r} is no quorum; write how many of how many vantages, such as 2 of 3")
        return cls(failing, of)

    @classmethod
    def majority(cls, of: int) -> Quorum:
        """More than half of them."""
        return cls(of // 2 + 1, of)

    def among(self, number: int) -> Quorum:
        """The same share, rounded up, of a part of the vantages: 2 of 3 is 1 of 1 and 2 of 2."""
        return self if number == self.of else Quorum(-(-self.failing * number // self.of), number)


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
        vantages: the names of the places that a run is to be made from.
        quorum: at how many of them a check must fail to have failed; None is more than half.
        on_regional: what a check that fails at fewer of them asks for.
    """

    deadline: float = 300.0
    confirm: Confirmation = field(default_factory=Confirmation)
    flaky: int = 3
    actions: Mapping[Severity, OnFailure] = field(default_factory=_default_actions)
    on_maintenance: OnMaintenance = OnMaintenance.FAIL
    vantages: tuple[str, ...] = ()
    quorum: Quorum | None = None
    on_regional: OnRegional = OnRegional.HOLD

    def to_json(self) -> dict[str, object]:
        """As JSON builtins, for the journal; what is about vantages only where something is said of them."""
        return {
            "deadline": float(self.deadline),
            "confirm": {"attempts": self.confirm.attempts, "spacing": float(self.confirm.spacing)},
            "flaky": self.flaky,
            "on_inconclusive": Action.HOLD.value,
            "on_maintenance": self.on_maintenance.value,
            "actions": {severity.value: action.value for severity, action in self.actions.items()},
            **self._about_vantages(),
        }

    def _about_vantages(self) -> dict[str, object]:
        if not (self.vantages or self.quorum or self.on_regional is not OnRegional.HOLD):
            return {}
        quorum = str(self.quorum) if self.quorum else None
        return {"vantages": list(self.vantages), "quorum": quorum, "on_regional": self.on_regional.value}

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
            vantages=tuple(text(name) for name in array(fields.get("vantages", ()))),
            quorum=None if fields.get("quorum") is None else Quorum.parse(text(fields["quorum"])),
            on_regional=OnRegional(text(fields.get("on_regional", "hold"))),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the policy's canonical JSON."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
