"""What goes wrong in a page by itself: errors on its console and requests that fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["ConsoleMessage", "FailedRequest", "without_refused"]

_BLOCKED: Final = "ERR_BLOCKED_BY_CLIENT"
"""What a browser says on its console of a request that was refused on this machine."""


@dataclass(frozen=True, slots=True)
class ConsoleMessage:
    """An error that a page wrote to the console, or an exception that nobody caught; ``where`` is URL:line:column."""

    text: str
    where: str = ""

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.text} ({self.where})" if self.where else self.text


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """A request of a page that got no answer (``status`` is 0) or one of 400 and above, or that we ``refused``."""

    method: str
    url: str
    reason: str
    status: int = 0
    refused: bool = False

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.method} {self.url}: {self.reason}"


def without_refused(console: Iterable[ConsoleMessage], requests: Iterable[FailedRequest]) -> Iterator[ConsoleMessage]:
    """The console errors but those that tell of requests which we refused ourselves."""
    ours = tuple(request.url for request in requests if request.refused)
    return (message for message in console if not (_BLOCKED in message.text and message.where.startswith(ours)))
