"""One thread that performs HTTP exchanges on libcurl's multi interface, and calls back when they are done.

Everything that the engine decides runs on this thread too, as callbacks, so that the engine needs no locks.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import pycurl

from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.target import Budget
from postdeploy.errors import ProbeError
from postdeploy.guard.budget import BudgetSpentError, Meter
from postdeploy.probes.agenda import Agenda, Callback
from postdeploy.probes.http import Exchange
from postdeploy.probes.http_handles import Handles
from postdeploy.probes.http_request import HttpRequest
from postdeploy.probes.watched_sockets import WatchedSockets

__all__ = ["Answer", "HttpLoop"]

Answer = Callable[[HttpObservation | ProbeError], None]

_JOIN: Final = 5.0
_HEAD_START: Final = 0.02
"""Seconds at most: enough for fifty requests, while the thread that wants them leaves the interpreter to this one."""


class HttpLoop:
    """Performs at most ``budget.in_flight`` exchanges at once, and no more than its meter lets pass.

    Args:
        budget: how much traffic there may be.
        meter: what counts it, if others count there, too.
        clock: seconds, monotonic.
        on_crash: called on the loop's thread with an exception that no callback expected; the thread ends.
    """

    def __init__(
        self,
        budget: Budget = Budget(),  # noqa: B008  # frozen
        *,
        meter: Meter | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_crash: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        self.clock = clock
        self.peak = 0
        self.meter = meter or Meter(budget)
        self._in_flight = budget.in_flight
        self._on_crash = on_crash
        self._multi = pycurl.CurlMulti()
        self._sockets = WatchedSockets()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._sockets.change)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, budget.in_flight)
        self._curl_due: float | None = None
        self._paced: float | None = None
        self._handles = Handles()
        self._active: dict[Any, tuple[Exchange, Answer]] = {}
        self._waiting: deque[tuple[HttpRequest, Answer]] = deque()
        self._agenda = Agenda()
        self._supply: deque[Callback] = deque()
        self._rests: deque[Callback] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="postdeploy-http", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Drop what is under way, unanswered, and end the thread; returns when it has ended."""
        self._stopping = True
        if self._thread.ident is None:
            self._close()
            return
        self._sockets.wake()
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN)

    def call_soon(self, callback: Callback) -> None:
        """Run a callback on the loop's thread; from any thread. A loop that has ended runs nothing."""
        self._agenda.soon(callback)
        if threading.get_ident() != self._thread.ident:
            self._sockets.wake()

    def let_send(self, patience: float = _HEAD_START) -> None:
        """Return when all is sent that can be, after ``patience`` seconds at most; from another thread."""
        rested = threading.Event()
        self.call_soon(lambda: self._rests.append(rested.set))
        rested.wait(patience)

    def call_when_hungry(self, callback: Callback) -> None:
        """Run a callback, once, when fewer requests wait than there is room for; only from the loop's thread."""
        self._supply.append(callback)

    def call_later(self, delay: float, callback: Callback) -> None:
        """Run a callback on the loop's thread after ``delay`` seconds; only from that thread."""
        self._agenda.at(self.clock() + delay, callback)

    def fetch(self, request: HttpRequest, answer: Answer) -> None:
        """Perform a request as soon as there is room, then call ``answer``; only from the loop's thread."""
        self._waiting.append((request, answer))

    def drop(self, chosen: Callable[[HttpRequest], bool], *, waiting: bool = True) -> list[HttpRequest]:
        """Break off what is chosen, answered with an error, and all that waits; returns what stays under way."""
        cut = [(curl, *pair) for curl, pair in self._active.items() if chosen(pair[0].request)]
        answers = [answer for _, _, answer in cut]
        for curl, exchange, _ in cut:
            del self._active[curl]
            self._multi.remove_handle(curl)
            self._put_back(curl, exchange)
        if waiting:
            answers += [answer for _, answer in self._waiting]
            self._waiting.clear()
        kept = [exchange.request for exchange, _ in self._active.values()]
        for answer in answers:
            answer(ProbeError("cut_off", "the run ended before an answer came", target_fault=False))
        return kept

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        except BaseException as error:  # noqa: BLE001  # nothing may end this thread unseen
            self._on_crash(error)
        finally:
            self._close()

    def _turn(self) -> None:
        """Answers are read and new requests sent before what has come is thought about, for a slice of time at most."""
        patience = self._patience()
        while self._rests and patience != 0.0:
            self._rests.popleft()()
        for handle, seen in self._sockets.wait(patience):
            self._multi.socket_action(handle, seen)
        self._proceed()
        self._fill()
        self._proceed()
        self._agenda.run(self.clock)
        if self._hungry():
            self._supply.popleft()()
        self._fill()

    def _proceed(self) -> None:
        """Let libcurl do what it wants to do by now, such as to begin what was added, and take what is done."""
        if self._curl_due is not None and self.clock() >= self._curl_due:
            self._curl_due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._reap()

    def _hungry(self) -> bool:
        return bool(self._supply) and len(self._waiting) < self._in_flight

    def _patience(self) -> float | None:
        if self._stopping or self._hungry():
            return 0.0
        due = [moment for moment in (self._agenda.due(), self._curl_due, self._paced) if moment is not None]
        return max(0.0, min(due) - self.clock()) if due else None

    def _fill(self) -> None:
        self._paced = None
        while self._waiting and len(self._active) < self._in_flight:
            now = self.clock()
            try:
                pause = self.meter.take(now)
            except BudgetSpentError as error:
                _, answer = self._waiting.popleft()
                answer(ProbeError("budget_spent", str(error), target_fault=False))
                continue
            if pause > 0:
                self._paced = now + pause
                return
            self._begin(*self._waiting.popleft())

    def _begin(self, request: HttpRequest, answer: Answer) -> None:
        curl, exchange = self._handles.take(), Exchange(request)
        try:
            exchange.prepare(curl)
        except ProbeError as error:
            self._handles.give_back(curl, plain=False)
            self.meter.give_back()
            answer(error)
            return
        self._active[curl] = (exchange, answer)
        self._multi.add_handle(curl)
        self.peak = max(self.peak, len(self._active))

    def _reap(self) -> None:
        more = 1
        while more:
            more, done, failed = self._multi.info_read()
            for curl in done:
                self._finish(curl, None)
            for curl, number, text in failed:
                self._finish(curl, (number, text))

    def _finish(self, curl: Any, failure: tuple[int, str] | None) -> None:
        found = self._active.pop(curl, None)
        if found is None:  # dropped by the answer before
            return
        exchange, answer = found
        self._multi.remove_handle(curl)
        outcome: HttpObservation | ProbeError
        try:
            outcome = exchange.error(curl, *failure) if failure else exchange.observation(curl)
        except ProbeError as error:
            outcome = error
        self._put_back(curl, exchange)
        answer(outcome)

    def _put_back(self, curl: Any, exchange: Exchange) -> None:
        self.meter.give_back(exchange.received)
        exchange.forget()
        self._handles.give_back(curl, plain=exchange.request.plain)

    def _on_timer(self, milliseconds: int) -> None:
        self._curl_due = None if milliseconds < 0 else self.clock() + milliseconds / 1000

    def _close(self) -> None:
        for curl in self._active:
            self._multi.remove_handle(curl)
            curl.close()
        self._active.clear()
        self._handles.close()
        self._multi.close()
        self._sockets.close()
