"""How the first navigation of a page ends: by the events of its own document, and by those alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from postdeploy.browser.devtools import arrival as module
from postdeploy.browser.devtools.arrival import Arrival
from postdeploy.browser.devtools.connection import Connection, Session
from postdeploy.browser.faults import BrowserError, navigation_fault

Event = tuple[str, dict[str, Any]]

SENT: Event = ("Network.requestWillBeSent", {"requestId": "d", "loaderId": "d", "frameId": "page"})
ANSWERED: Event = ("Network.responseReceived", {"requestId": "d"})
SHOWN: Event = ("Page.frameNavigated", {"frame": {"id": "page", "url": "http://x/"}})
ERROR_PAGE: Event = ("Page.frameNavigated", {"frame": {"id": "page", "url": "chrome-error:", "unreachableUrl": "/"}})
FRAME: Event = ("Page.frameNavigated", {"frame": {"id": "inner", "url": "http://x/inner"}})
IMAGE: Event = ("Network.requestWillBeSent", {"requestId": "i", "loaderId": "d", "frameId": "page"})


def failed(number: str, **facts: str) -> Event:
    """A request without an answer."""
    return "Network.loadingFailed", {"requestId": number, **facts}


def ending(*events: Event, then: Callable[[Session], object] = lambda _session: None) -> str:
    """How it ends: the text of the error, or nothing; 'waits' where it has not ended."""

    async def main() -> str:
        session = Session(Connection(), "s")
        arrival = Arrival(session, "page")
        for event in events:
            arrival.hear(*event)
        then(session)
        await asyncio.sleep(0.01)
        if not arrival.done.done():
            return "waits"
        error = arrival.done.exception()
        assert error is None or isinstance(error, BrowserError)
        return error.message if error else ""

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([SENT, ANSWERED, SHOWN], ""),
        ([SENT, failed("d", errorText="net::ERR_CONNECTION_REFUSED")], "net::ERR_CONNECTION_REFUSED"),
        ([SENT, failed("d")], "net::ERR_FAILED"),
        ([SENT, ANSWERED, ERROR_PAGE], "net::ERR_FAILED"),
        ([SENT, failed("d", errorText="net::ERR_ABORTED"), ERROR_PAGE], "net::ERR_ABORTED"),
        ([SENT, ANSWERED, SHOWN, failed("d", errorText="net::ERR_CONTENT_LENGTH_MISMATCH")], ""),
        ([SENT, ANSWERED], "waits"),
        ([SENT, IMAGE, failed("i", errorText="net::ERR_FAILED")], "waits"),
        ([SENT, FRAME], "waits"),
        ([failed("other", errorText="net::ERR_FAILED")], "waits"),
    ],
    ids=["shown", "refused", "no-word", "own-page", "first-word", "half", "open", "image", "frame", "unknown"],
)
def test_only_its_own_document_counts(events: list[Event], text: str) -> None:
    """What becomes of other requests, and of the document later, is not how the navigation ended."""
    assert ending(*events) == text


def test_browser_that_shows_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer has come, so a page that stays empty is no fault of the target."""
    monkeypatch.setattr(module, "_SHOWN", 0.001)
    text = ending(SENT, ANSWERED)
    assert "not shown" in text
    assert not navigation_fault(text, "http://x/").target_fault
    assert ending(SENT) == "waits"
    assert ending(SENT, ANSWERED, SHOWN) == ""


def test_page_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a page hears that it is gone, and nothing fails twice."""
    monkeypatch.setattr(module, "_SHOWN", 0.001)
    assert ending(SENT, ANSWERED, then=lambda session: session.end()) == "Target page has been closed"
