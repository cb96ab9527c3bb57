"""What a Python test exchanges with the target while it runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from postdeploy.domain.health import OWN_FAULTS
from postdeploy.guard.courtesy import TOO_MANY_REQUESTS
from postdeploy.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from postdeploy.errors import ProbeError
    from postdeploy.guard.client import Exchanged

__all__ = ["Activity"]


@dataclass(slots=True)
class Activity:
    """Filled by the clients and the page fixture of one attempt at a test.

    Args:
        check_id: named in every request.
        attempt: its number, from 1.
        started: seconds since the epoch.
        exchanges: answers of the target.
        releases: the releases that answered, in order, each once.
        curl: a command that repeats the last request.
        excerpt: what came last, in a few lines.
        evidence: paths below the reports folder.
        notes: what the test said to have verified by other means.
        fault: what the last exchange says against a service: its URL and a code.
        status: of the last exchange, if it was answered.
        refused: the first request that the guard did not let go.
        ended: when the last answer came, in monotonic seconds.
        retry_after: what it said of when to come back.
        code: why the last exchange came to nothing, if that was no fault of the target.
    """

    check_id: str
    attempt: int = 1
    started: float = field(default_factory=time.time)
    exchanges: int = 0
    releases: dict[str, None] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    curl: str | None = None
    excerpt: str = ""
    evidence: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fault: tuple[str, str] | None = None
    status: int | None = None
    code: str | None = None
    refused: Exception | None = None
    ended: float = 0.0
    retry_after: str | None = None

    def exchanged(self, release: str | None = None) -> None:
        """The target has answered."""
        self.exchanges += 1
        if release:
            self.releases[release] = None

    def unanswered(self, url: str, fault: ProbeError) -> None:
        """A client got no answer; where that is the target's fault, it points at the service."""
        self.status = None
        self.fault = (url, fault.code) if fault.target_fault else None
        self.code = fault.code if fault.code in OWN_FAULTS else None

    def limited(self) -> None:
        """A request was not sent, since the target wants no more of them."""
        self.fault, self.status, self.code = None, None, "rate_limited"

    def answered(self, exchange: Exchanged) -> None:
        """A client got an answer."""
        self.exchanged(exchange.release)
        self.curl, self.phases = exchange.curl, exchange.phases
        self.excerpt = f"{exchange.method} {exchange.url}: HTTP {exchange.status}"
        failed = exchange.status >= 500  # noqa: PLR2004  # 5xx, RFC 9110 §15.6
        self.fault = (exchange.url, f"http_{exchange.status}") if failed else None
        self.status, self.ended = exchange.status, time.monotonic()
        self.retry_after = exchange.retry_after
        self.code = "rate_limited" if exchange.status == TOO_MANY_REQUESTS else None
