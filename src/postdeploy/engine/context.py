"""What belongs to one run, and what the wait before its checks came to."""

from __future__ import annotations

from pathlib import Path

from postdeploy.domain.evidence import ReleaseEvidence, ServiceState, Wait
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Readiness", "RunContext"]


@dataclass(frozen=True, slots=True)
class RunContext:
    """What belongs to one run rather than to its target.

    Args:
        run_id: unique.
        expected: the release that the pipeline deployed, if it said so.
        deadline: monotonic seconds at which everything stops.
        reports: folder for what pages leave behind.
    """

    run_id: str
    expected: str | None = None
    deadline: float | None = None
    reports: Path | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What preflight and the wait for the release came to."""

    release: ReleaseEvidence
    services: tuple[ServiceState, ...]
    waits: tuple[Wait, ...] = ()

    @property
    def may_start(self) -> bool:
        """Whether there is anything to verify: the release is live, or nobody asked, and some service answers."""
        return self.release.live is not False and any(state.live for state in self.services)
