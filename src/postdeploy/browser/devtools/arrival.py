"""How the first navigation of a page ends, by what the browser tells of its document."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from postdeploy.browser.devtools.connection import Facts, Session
from postdeploy.browser.faults import BrowserError

__all__ = ["Arrival"]

_SHOWN: Final = 5.0
"""Seconds after the head of an answer within which the browser shows it: what the target does then changes nothing."""


class Arrival:
    """``done`` is set when the first document is there, and fails with the browser's words where none comes.

    Args:
        session: the session of the page.
        page: the id of the page, which is that of its main frame.
    """

    def __init__(self, session: Session, page: str) -> None:
        self.done = session.expect()
        self._page = page
        self._loader = ""
        self._handlers: Mapping[str, Callable[[Facts], None]] = {
            "Network.requestWillBeSent": self._on_sent,
            "Network.responseReceived": self._on_response,
            "Network.loadingFailed": self._on_failed,
            "Page.frameNavigated": self._on_navigated,
        }

    def hear(self, method: str, facts: Facts) -> None:
        """The page tells something."""
        handler = None if self.done.done() else self._handlers.get(method)
        if handler is not None:
            handler(facts)

    def _on_sent(self, facts: Facts) -> None:
        if not self._loader and facts.get("frameId") == self._page and facts["requestId"] == facts["loaderId"]:
            self._loader = facts["requestId"]

    def _on_response(self, facts: Facts) -> None:
        if facts["requestId"] == self._loader:
            text = f"its answer was not shown within {_SHOWN:.0f} s"
            timer = asyncio.get_running_loop().call_later(_SHOWN, self._fail, text)
            self.done.add_done_callback(lambda _done: timer.cancel())

    def _on_failed(self, facts: Facts) -> None:
        if facts["requestId"] == self._loader:
            self._fail(facts.get("errorText") or "net::ERR_FAILED")

    def _on_navigated(self, facts: Facts) -> None:
        frame = facts["frame"]
        if frame["id"] != self._page:
            return
        if frame.get("unreachableUrl"):
            self._fail("net::ERR_FAILED")  # a page of the browser's own, which says why to people only
        else:
            self.done.set_result(None)

    def _fail(self, text: str) -> None:
        if not self.done.done():
            self.done.set_exception(BrowserError(text))
