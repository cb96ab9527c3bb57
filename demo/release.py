"""What a running build says about itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from starlette.requests import HTTPConnection

SCOPE_KEY = "demo.release"


def utc_now() -> str:
    """Return the present moment as RFC 3339 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Release:
    """The identity of one build."""

    commit: str
    version: str
    environment: str
    built_at: str = field(default_factory=utc_now)

    def document(self) -> dict[str, str]:
        """Return what `/build-info.json` answers."""
        return asdict(self)


def claimed(request: HTTPConnection) -> Release:
    """Return the release that this request is told about (faults may have changed it)."""
    release: Release = request.scope[SCOPE_KEY]
    return release
