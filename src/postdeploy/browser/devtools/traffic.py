"""The requests of one browser context: told in the words of Playwright's events, stopped where they are not allowed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from postdeploy.browser.devtools.connection import Facts, Session
from postdeploy.browser.task import Allowed
from postdeploy.domain.redaction import Secret
from postdeploy.domain.tokens import cookies, issued, kept
from postdeploy.guard.pace import Pace, StoppedError
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["ABORTED", "Frame", "Request", "Response", "Source", "Traffic"]

ABORTED: Final = "net::ERR_ABORTED"
_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a request comes from: a page, and whether it is one of the frames inside."""

    page: object
    parent_frame: object | None


@dataclass(eq=False, slots=True)
class Request:
    """A request; ``loader`` is the document that it belongs to."""

    method: str
    url: str
    resource_type: str
    frame: Frame
    session: str
    frame_id: str
    loader: str
    document: bool
    redirected_from: Request | None = None
    failure: str | None = None
    answered: int = 0
    started: float = field(default_factory=time.monotonic)

    def is_navigation_request(self) -> bool:
        """Whether it asks for a document."""
        return self.document


@dataclass(frozen=True, slots=True)
class Response:
    """The head of an answer; the names of headers are in lower case."""

    request: Request
    url: str
    status: int
    headers: Mapping[str, str]


class Source(Protocol):
    """A target that sends requests."""

    session: Session

    def frame(self, number: str) -> Frame:
        """The frame with this id."""


class Traffic:
    """Follows every request from where it starts to how it ends.

    Args:
        emit: told the name of an event and what it is about.
        refuse: told of each request that was stopped, and why.
        allowed: why a request may not leave this machine; None permits everything.
        pace: when requests may go, where they are stopped until then, and who counts them.
        stops: whether requests are stopped until they are judged.
        learn: told of credentials that answers hand out.
    """

    def __init__(
        self,
        emit: Callable[[str, Any], None],
        refuse: Callable[[Request, str], None],
        allowed: Allowed | None,
        pace: Pace | None = None,
        *,
        stops: bool = False,
        learn: Callable[[Secret], object] | None = None,
    ) -> None:
        self._learn = learn
        self._logins: set[str] = set()  # answers to POST that are JSON, and may hand out a token
        self._pace = pace
        self._stops = stops
        self._waiting: set[asyncio.Task[None]] = set()
        self._sent: dict[str, tuple[str, float]] = {}  # what is counted until it ends: session, and when it was let go
        self._emit = emit
        self._refuse = refuse
        self._allowed = allowed
        self._requests: dict[str, Request] = {}
        self._ahead: dict[str, Request] = {}  # refused before the page told that it sends them
        self.handlers: Mapping[str, Callable[[Source, Facts], None]] = {
            "Fetch.requestPaused": self._on_paused,
            "Network.requestWillBeSent": self._on_sent,
            "Network.responseReceived": self._on_response,
            "Network.responseReceivedExtraInfo": self._on_headers,
            "Network.loadingFinished": self._on_finished,
            "Network.loadingFailed": self._on_failed,
            "Network.webSocketCreated": lambda _source, facts: emit("websocket", facts["url"]),
        }

    def leave(self, frame: str, loader: str | None = None) -> None:
        """A frame shows another document, or is gone: what the old one asked for needs no answer any more."""
        self._abandon(lambda request: request.frame_id == frame and not request.document and request.loader != loader)

    def end(self, session: str) -> None:
        """A target is gone, with all that it asked for."""
        self._abandon(lambda request: request.session == session)
        for number in [number for number, (its, _) in self._sent.items() if its == session]:
            self._ended(number)

    def close(self) -> None:
        """Nothing is sent any more, and nothing waited for."""
        for task in self._waiting:
            task.cancel()
        for number in tuple(self._sent):
            self._ended(number)

    def _abandon(self, chosen: Callable[[Request], bool]) -> None:
        for number in [number for number, request in self._requests.items() if chosen(request)]:
            self._fail(number, ABORTED)

    def _on_paused(self, source: Source, facts: Facts) -> None:
        asked = facts["request"]
        reason = self._allowed(asked["method"], asked["url"]) if self._allowed else None
        if reason is not None:
            self._stop(source, facts, reason)
        elif self._pace is not None and self._pace.counts(asked["url"]):
            task = asyncio.ensure_future(self._in_turn(source, facts, self._pace))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        else:
            source.session.post("Fetch.continueRequest", requestId=facts["requestId"])

    async def _in_turn(self, source: Source, facts: Facts, pace: Pace) -> None:
        """Let a request go as soon as it may."""
        try:
            await pace.wait()
        except StoppedError as error:
            self._stop(source, facts, str(error))
            return
        self._note_sent(source, facts.get("networkId", ""), pace)
        source.session.post("Fetch.continueRequest", requestId=facts["requestId"])

    def _note_sent(self, source: Source, number: str, pace: Pace) -> None:
        if number in self._sent:  # a redirect has ended the one before
            pace.ended()
        if number:
            self._sent[number] = source.session.number, pace.now()
        else:
            pace.ended()

    def _ended(self, number: str, received: float = 0) -> None:
        if self._sent.pop(number, None) is not None and self._pace is not None:
            self._pace.ended(max(0, int(received)))

    def _stop(self, source: Source, facts: Facts, reason: str) -> None:
        redirected = "redirectedRequestId" in facts
        self._refuse(self._stopped(source, facts, redirected=redirected), reason + " (sent by a redirect)" * redirected)
        source.session.post("Fetch.failRequest", requestId=facts["requestId"], errorReason="BlockedByClient")

    def _stopped(self, source: Source, facts: Facts, *, redirected: bool) -> Request:
        """The request that is stopped, which the page may not have told of yet."""
        number = facts.get("networkId", "")
        known = self._requests.get(number)
        if known is not None and known.url == facts["request"]["url"] and (known.redirected_from or not redirected):
            return known
        request = self._ahead[number] = _request(source, facts, known, facts["resourceType"] == "Document")
        return request

    def _on_sent(self, source: Source, facts: Facts) -> None:
        number, asked = facts["requestId"], facts["request"]
        if asked["url"].startswith("data:") or asked["url"].endswith("/favicon.ico"):
            return
        before = self._requests.get(number) if "redirectResponse" in facts else None
        if before is not None:
            self._respond(before, facts["redirectResponse"], number)
            self._emit("requestfinished", before)
        document = number == facts.get("loaderId") and facts.get("type") == "Document"
        request = self._ahead.pop(number, None) or _request(source, facts, before, document)
        self._requests[number] = request
        if self._pace is not None and not self._stops and self._pace.counts(request.url):
            self._pace.note()
            self._note_sent(source, number, self._pace)
        self._emit("request", request)

    def _on_headers(self, _source: Source, facts: Facts) -> None:
        """The headers as they came, with cookies."""
        if self._learn is not None:
            for secret in kept(cookies(facts["headers"].items())):
                self._learn(secret)

    def _on_response(self, _source: Source, facts: Facts) -> None:
        request = self._requests.get(facts["requestId"])
        if request is not None:
            if request.method == "POST" and "json" in facts["response"].get("mimeType", ""):
                self._logins.add(facts["requestId"])
            self._respond(request, facts["response"], facts["requestId"])

    def _respond(self, request: Request, answer: Facts, number: str) -> None:
        request.answered = answer["status"]
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        if self._pace is not None:
            _, sent = self._sent.get(number, ("", request.started))
            self._pace.answered(request.url, request.answered, headers, sent)
        self._emit("response", Response(request, request.url, answer["status"], headers))

    def _on_finished(self, source: Source, facts: Facts) -> None:
        if self._learn is not None and facts["requestId"] in self._logins:
            self._logins.discard(facts["requestId"])
            body = source.session.start("Network.getResponseBody", requestId=facts["requestId"])
            body.add_done_callback(self._on_body)
        self._ended(facts["requestId"], facts.get("encodedDataLength", 0))
        request = self._requests.pop(facts["requestId"], None)
        if request is not None:
            self._emit("requestfinished", request)

    def _on_body(self, answer: asyncio.Future[Facts]) -> None:
        if answer.cancelled() or answer.exception() is not None or self._learn is None:
            return
        for secret in issued("POST", (), str(answer.result().get("body", "")).encode("utf-8", "replace")):
            self._learn(secret)

    def _on_failed(self, source: Source, facts: Facts) -> None:
        number = facts["requestId"]
        self._ended(number)
        request = self._requests.get(number)
        if request is not None and request.answered == _NO_CONTENT and not request.document:
            self._on_finished(source, facts)
        elif self._ahead.pop(number, None) is not None:
            self._fail(number, ABORTED)  # it was redirected to where it may not go, which has been told
        else:
            self._fail(number, facts.get("errorText") or facts.get("blockedReason") or "")

    def _fail(self, number: str, reason: str) -> None:
        request = self._requests.pop(number, None)
        if request is not None:
            request.failure = reason
            self._emit("requestfailed", request)


def _request(source: Source, facts: Facts, before: Request | None, document: bool) -> Request:
    """The request of ``Network.requestWillBeSent`` or ``Fetch.requestPaused``."""
    frame = facts.get("frameId", "")
    return Request(
        method=facts["request"]["method"],
        url=facts["request"]["url"],
        resource_type=str(facts.get("type") or facts.get("resourceType") or "other").lower(),
        frame=source.frame(frame),
        session=source.session.number,
        frame_id=frame,
        loader=facts.get("loaderId", ""),
        document=document,
        redirected_from=before,
    )
