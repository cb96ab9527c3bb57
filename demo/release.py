"""What a running build says about itself."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from starlette.requests import HTTPConnection

_NAME = re.compile(r"[\x21-\x7e]{1,128}")

SCOPE_KEY = "demo.release"


def utc_now() -> str:
    """Return the present moment as RFC 3339 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def checked(name: str) -> str:
    """Return a commit or version that fits into a header, or raise ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not 1 to 128 visible ASCII characters")
    return name


@dataclass(frozen=True, slots=True)
class Release:
    """The identity of one build."""

    commit: str
    version: str
    environment: str
    built_at: str = field(default_factory=utc_now)

    def __post_init__(self) -> None:
        """Refuse names that could not be sent."""
        for name in (self.commit, self.version, self.environment):
            checked(name)

    def document(self) -> dict[str, str]:
        """Return what `/build-info.json` answers."""
        return asdict(self)


def claimed(request: HTTPConnection) -> Release:
    """Return the release that this request is told about (faults may have changed it)."""
    release: Release = request.scope[SCOPE_KEY]
    return release
