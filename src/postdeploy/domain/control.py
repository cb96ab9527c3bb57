"""What control probes say of the machine that verifies, beside what checks say of the target."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from postdeploy.domain.reading import flag, mapping, number, optional_text, text
from postdeploy.lazy_dataclass import dataclass

__all__ = ["ControlProbe", "ControlResult", "Moment"]


class ControlProbe(StrEnum):
    """What is asked: each of them says something of the runner, or of what it was given, and nothing of the target."""

    ROUTE = "route"
    RESOLVER = "resolver"
    URL = "url"
    CLOCK = "clock"
    CREDENTIALS = "credentials"


class Moment(StrEnum):
    """When it was asked: before the run, or because something had gone wrong."""

    START = "start"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What one control probe came to.

    Args:
        at: seconds since the epoch, by the clock of this machine.
        message: one sentence.
        code: a stable word where it is not healthy, or will not be before long.
        skew: seconds by which this clock is ahead, where a trusted one was read.
    """

    probe: ControlProbe
    moment: Moment
    healthy: bool
    at: float
    message: str = ""
    code: str | None = None
    skew: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {
            "probe": self.probe.value,
            "moment": self.moment.value,
            "healthy": self.healthy,
            "at": round(self.at, 6),
            "message": self.message,
            "code": self.code,
            "skew": None if self.skew is None else round(self.skew, 3),
        }

    @classmethod
    def from_json(cls, raw: object) -> ControlResult:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        skew = fields["skew"]
        return cls(
            probe=ControlProbe(text(fields["probe"])),
            moment=Moment(text(fields["moment"])),
            healthy=flag(fields["healthy"]),
            at=number(fields["at"]),
            message=text(fields["message"]),
            code=optional_text(fields["code"]),
            skew=None if skew is None else number(skew),
        )
