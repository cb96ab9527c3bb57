"""Listening to the pages of a browser context: console errors, uncaught exceptions, failed requests, releases.

Playwright's two APIs name their events and the facts in them alike, so both sides listen with the same code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar

from postdeploy.domain.observation import ConsoleMessage, FailedRequest

__all__ = ["Watch", "clean", "console_error", "page_error", "request_failure", "response_failure", "without"]

_KEPT: Final = 100  # a page that floods its console must not fill our memory
_TEXT: Final = 2000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ENDLESS: Final = frozenset({"eventsource", "websocket", "media", "ping"})
_ERROR_STATUS: Final = 400
_Item = TypeVar("_Item", ConsoleMessage, FailedRequest)


class Emitter(Protocol):
    """A context or a page of either API."""

    def on(self, event: Any, f: Callable[..., Any]) -> None:
        """Call ``f`` at each event of this name."""


def clean(text: str, limit: int = _TEXT) -> str:
    """Foreign text as valid UTF-8 of bounded length: lone surrogates and control characters are escaped."""
    short = text if len(text) <= limit else text[:limit] + "…"
    valid = short.encode("utf-8", "backslashreplace").decode("utf-8")
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", valid)


def console_error(kind: str, text: str, location: Mapping[str, Any]) -> ConsoleMessage | None:
    """The message if it is an error, else None."""
    return ConsoleMessage(clean(text), _where(location)) if kind in {"error", "assert"} else None


def page_error(name: str | None, message: str, location: Mapping[str, Any]) -> ConsoleMessage:
    """An exception that nobody caught."""
    return ConsoleMessage(clean(f"Uncaught {name or 'Error'}: {message}"), _where(location))


def _where(location: Mapping[str, Any]) -> str:
    url, line, column = (location.get(key) for key in ("url", "line", "column"))
    if not url:
        return ""
    position = (
        f":{line + 1}:{column + 1}" if isinstance(line, int) and isinstance(column, int) and line + column else ""
    )
    return clean(str(url)) + position


def response_failure(method: str, url: str, status: int) -> FailedRequest | None:
    """The request if it was answered with 400 or above, else None."""
    return FailedRequest(method, clean(url), f"HTTP {status}", status) if status >= _ERROR_STATUS else None


def request_failure(method: str, url: str, reason: str | None) -> FailedRequest | None:
    """A request without an answer; None where the page itself called it off, as ``AbortController`` does."""
    return None if reason == "net::ERR_ABORTED" else FailedRequest(method, clean(url), clean(reason or "failed"))


def without(items: Iterable[_Item], allowed: Iterable[re.Pattern[str]]) -> tuple[_Item, ...]:
    """The items whose text matches none of the patterns."""
    patterns = tuple(allowed)
    return tuple(item for item in items if not any(pattern.search(str(item)) for pattern in patterns))


class Watch:
    """Everything that the pages of one context said and asked for.

    Args:
        release_header: the response header that names the release, if there is one.
        counts: whether an answer from this URL is an answer of the target.
    """

    def __init__(self, release_header: str | None = None, counts: Callable[[str], bool] | None = None) -> None:
        self.console: list[ConsoleMessage] = []
        self.requests: list[FailedRequest] = []
        self.releases: dict[str, int] = {}
        self.release: str | None = None
        self.page: Any = None  # the one page whose document counts; None: the documents of all pages do
        self.refused_document: str | None = None
        self.status = 0
        self.exchanges = 0
        self.started = 0
        self._header = release_header.lower() if release_header else None
        self._counts = counts or _is_http
        self._pending: set[Any] = set()
        self._refused: set[Any] = set()

    def follow(self, context: Emitter) -> None:
        """Listen to all pages of this context, those that it opens later too."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("response", self._on_response)
        context.on("requestfinished", self._on_finished)
        context.on("requestfailed", self._on_failed)

    @property
    def pending(self) -> tuple[FailedRequest, ...]:
        """The requests that still wait for an answer."""
        return tuple(FailedRequest(request.method, clean(request.url), "no answer yet") for request in self._pending)

    @property
    def quiet(self) -> bool:
        """Whether no request waits for an answer."""
        return not self._pending

    def refuse(self, request: Any, reason: str) -> None:
        """Note a request that was not allowed to leave this machine."""
        self._refused.add(request)
        if self.status == 0 and self._is_document(request):
            self.refused_document = reason
        self._add_request(FailedRequest(request.method, clean(request.url), clean(reason), refused=True))

    def refuse_socket(self, url: str, reason: str) -> None:
        """Note a WebSocket that was not allowed to leave this machine."""
        self._add_request(FailedRequest("GET", clean(url), clean(reason), refused=True))

    def answered(self, url: str, headers: Mapping[str, str]) -> str | None:
        """Count an answer, and return the release that it names."""
        if not self._counts(url):
            return None
        self.exchanges += 1
        release = clean(headers.get(self._header, ""), 200) if self._header else ""
        if release:
            self.releases[release] = self.releases.get(release, 0) + 1
        return release or None

    def _on_console(self, message: Any) -> None:
        self._add_console(console_error(message.type, message.text, message.location))

    def _on_error(self, event: Any) -> None:
        self._add_console(page_error(event.error.name, event.error.message, event.location))

    def _on_request(self, request: Any) -> None:
        self.started += 1
        if request.resource_type not in _ENDLESS:
            self._pending.add(request)

    def _on_response(self, response: Any) -> None:
        request = response.request
        release = self.answered(response.url, response.headers)
        if self._is_document(request):
            self.status, self.release = response.status, release
        self._add_request(response_failure(request.method, request.url, response.status))

    def _on_finished(self, request: Any) -> None:
        self._pending.discard(request)

    def _on_failed(self, request: Any) -> None:
        self._pending.discard(request)
        if request not in self._refused:
            self._add_request(request_failure(request.method, request.url, request.failure))

    def _is_document(self, request: Any) -> bool:
        """Whether the request is for a page itself, not for a part of it."""
        if not request.is_navigation_request():
            return False
        try:
            frame = request.frame
        except Exception:  # noqa: BLE001  # a navigation whose frame is gone is not the page that we look at
            return False
        return frame.parent_frame is None and (self.page is None or frame.page == self.page)

    def _add_console(self, message: ConsoleMessage | None) -> None:
        if message is not None and len(self.console) < _KEPT:
            self.console.append(message)

    def _add_request(self, request: FailedRequest | None) -> None:
        if request is not None and len(self.requests) < _KEPT:
            self.requests.append(request)


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))
