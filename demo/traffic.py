"""The server's own evidence of what reached it."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import count, islice

from starlette.requests import HTTPConnection

KEPT = 10_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "WEBSOCKET"})
KEPT_HEADERS = ("host", "user-agent", "x-synthetic-test", "traceparent", "x-request-id", "content-type")


@dataclass(slots=True)
class Seen:
    """One request; its status stays null until it is answered."""

    n: int
    method: str
    path: str
    query: str
    slot: str
    headers: dict[str, str] = field(default_factory=dict)
    authorized: bool = False
    status: int | None = None


class Traffic:
    """The newest requests and how many there were."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start to count anew."""
        self._numbers = count(1)
        self._seen: deque[Seen] = deque(maxlen=KEPT)
        self.total = 0
        self.mutating = 0

    def saw(self, request: HTTPConnection, slot: str) -> Seen:
        """Note a request at its arrival; secrets are never kept."""
        scope = request.scope
        method, query = scope.get("method", "WEBSOCKET"), scope["query_string"].decode("latin-1")
        kept = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
        seen = Seen(next(self._numbers), method, scope["path"], query, slot, kept)
        seen.authorized = "authorization" in request.headers
        self.total += 1
        self.mutating += method not in SAFE_METHODS
        self._seen.append(seen)
        return seen

    def document(self, last: int = KEPT) -> dict[str, object]:
        """Return the counts and the newest requests, oldest first."""
        newest = list(islice(reversed(self._seen), last))
        requests = [asdict(seen) for seen in reversed(newest)]
        return {"total": self.total, "mutating": self.mutating, "requests": requests}
