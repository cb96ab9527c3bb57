"""What goes wrong in a page by itself: errors on its console and requests that fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from postdeploy.lazy_dataclass import dataclass

__all__ = ["ConsoleMessage", "FailedRequest", "without_refused"]

_FAILED: Final = "net::ERR_"
"""What a browser says on its console of a request that did not get through."""


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
    return (message for message in console if not (_FAILED in message.text and _tells_of(message, ours)))


def _tells_of(message: ConsoleMessage, urls: tuple[str, ...]) -> bool:
    """Whether a message is about one of these requests: that is its place, or for a WebSocket in its text."""
    return message.where.startswith(urls) or any(f"'{url}'" in message.text for url in urls)
