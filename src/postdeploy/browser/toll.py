"""What holds for the requests of a context that Playwright drives, and those that are counted until each has ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from postdeploy.browser.task import Allowed
from postdeploy.guard.pace import Pace, StoppedError, length
from postdeploy.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from playwright import async_api, sync_api

__all__ = ["Rules", "Toll"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the requests of a context.

    Args:
        allowed: why one may not leave this machine; None if it may.
        routed: whether each is asked about before it leaves; if not, what the proxy refuses is noted only.
        sealed: whether ways to send that no route sees are taken away, where requests are routed.
        pace: when requests may go, and who counts them; None lets them go at once.
    """

    allowed: Allowed
    routed: bool = True
    sealed: bool = True
    pace: Pace | None = None

    async def judge(self, method: str, url: str) -> str | None:
        """Why a request may not leave, or None as soon as it may, which counts it."""
        reason, pace = self.allowed(method, url), self.paced(url)
        if reason is None and pace is not None:
            try:
                await pace.wait()
            except StoppedError as error:
                return str(error)
        return reason

    def judge_by(self, sleep: Callable[[float], object], method: str, url: str) -> str | None:
        """Do the same by a way to sleep for so many seconds."""
        reason, pace = self.allowed(method, url), self.paced(url)
        if reason is None and pace is not None:
            try:
                pace.wait_by(sleep)
            except StoppedError as error:
                return str(error)
        return reason

    def paced(self, url: str) -> Pace | None:
        """Who has to be asked when this request may go."""
        return self.pace if self.pace is not None and self.pace.counts(url) else None


class Toll:
    """The requests of a context that are counted, until each ends."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._pace = rules.pace
        self._sent: dict[Any, float] = {}
        self._lengths: dict[Any, int] = {}

    def let_go(self, request: Any) -> None:
        """A request that may go leaves now."""
        pace = self._rules.paced(request.url)
        if pace is not None:
            self._sent[request] = pace.now()

    def opened(self, url: str) -> None:
        """A WebSocket that may be opened is; what comes over it is no answer."""
        pace = self._rules.paced(url)
        if pace is not None:
            pace.ended()

    def note(self, request: Any) -> None:
        """A request has left that nobody could hold up."""
        pace = self._rules.paced(request.url)
        if pace is not None:
            pace.note()
            self._sent[request] = pace.now()

    def note_socket(self, url: str) -> None:
        """A WebSocket was opened that nobody could hold up."""
        pace = self._rules.paced(url)
        if pace is not None:
            pace.note()
            pace.ended()

    def answered(self, response: Any) -> None:
        """The head of an answer has come."""
        request, headers = response.request, response.headers
        if (told := length(headers)) is not None and request in self._sent:
            self._lengths[request] = told
        if self._pace is not None:
            sent = self._sent.get(request)
            self._pace.answered(request.url, response.status, headers, self._pace.now() if sent is None else sent)

    async def finished_async(self, request: async_api.Request) -> None:
        """The whole answer has come."""
        if request in self._sent:
            told = self._lengths.get(request)
            with contextlib.suppress(Exception):  # the context may be gone by now
                told = (await request.sizes())["responseBodySize"] if told is None else told
            self.ended(request, told or 0)

    def finished_sync(self, request: sync_api.Request) -> None:
        """The whole answer has come."""
        if request in self._sent:
            told = self._lengths.get(request)
            with contextlib.suppress(Exception):  # the context may be gone by now
                told = request.sizes()["responseBodySize"] if told is None else told
            self.ended(request, told or 0)

    def ended(self, request: Any, received: int = 0) -> None:
        """Nothing more comes."""
        self._lengths.pop(request, None)
        if self._sent.pop(request, None) is not None and self._pace is not None:
            self._pace.ended(received)

    def close(self) -> None:
        """The context is closed, with all that was on its way."""
        for request in tuple(self._sent):
            self.ended(request)
