"""One thread that performs HTTP exchanges on libcurl's multi interface, and calls back when they are done.

Everything that the engine decides runs on this thread too, as callbacks, so that the engine needs no locks.
"""

from __future__ import annotations

import heapq
import itertools
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import pycurl

from postdeploy.domain.observation import HttpObservation
from postdeploy.errors import ProbeError
from postdeploy.probes.http import Exchange, HttpRequest

__all__ = ["Answer", "HttpLoop"]

Answer = Callable[[HttpObservation | ProbeError], None]

_EVENTS: Final = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}


class HttpLoop:
    """Performs at most ``in_flight`` exchanges at once.

    Args:
        in_flight: how many exchanges may be under way.
        clock: seconds, monotonic.
        on_crash: called on the loop's thread with an exception that no callback expected.
    """

    def __init__(
        self,
        in_flight: int = 50,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_crash: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        self.clock = clock
        self.peak = 0
        self.started = 0
        self._in_flight = in_flight
        self._on_crash = on_crash
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, in_flight)
        self._curl_due: float | None = None
        self._idle: list[Any] = []
        self._active: dict[Any, tuple[Exchange, Answer]] = {}
        self._waiting: deque[tuple[HttpRequest, Answer]] = deque()
        self._soon: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, "wake")
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="postdeploy-http", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Drop what is under way and end the thread; returns when it has ended."""
        self._stopping = True
        self._wake()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(5)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run a callback on the loop's thread; may be called from any thread."""
        self._soon.append(callback)
        self._wake()

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """Run a callback on the loop's thread after ``delay`` seconds; only from that thread."""
        heapq.heappush(self._timers, (self.clock() + delay, next(self._order), callback))

    def fetch(self, request: HttpRequest, answer: Answer) -> None:
        """Perform a request as soon as there is room, then call ``answer``; only from the loop's thread."""
        self._waiting.append((request, answer))

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"\0")
        except (BlockingIOError, OSError):
            return  # a full pipe wakes as well, and a closed one has nobody to wake

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        except BaseException as error:  # noqa: BLE001  # nothing may end this thread unseen
            self._on_crash(error)
        finally:
            self._close()

    def _turn(self) -> None:
        self._run_soon()
        self._run_timers()
        self._fill()
        for key, mask in self._selector.select(self._patience()):
            if key.data == "wake":
                os.read(self._wake_read, 65536)
            else:
                self._multi.socket_action(key.fd, _flags(mask))
        if self._curl_due is not None and self.clock() >= self._curl_due:
            self._curl_due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._reap()

    def _patience(self) -> float | None:
        if self._soon:
            return 0
        due = [
            moment for moment in (self._curl_due, self._timers[0][0] if self._timers else None) if moment is not None
        ]
        return max(0.0, min(due) - self.clock()) if due else None

    def _run_soon(self) -> None:
        for _ in range(len(self._soon)):
            self._soon.popleft()()

    def _run_timers(self) -> None:
        now = self.clock()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    def _fill(self) -> None:
        while self._waiting and len(self._active) < self._in_flight:
            request, answer = self._waiting.popleft()
            curl = self._idle.pop() if self._idle else pycurl.Curl()
            exchange = Exchange(request)
            exchange.prepare(curl)
            self._active[curl] = (exchange, answer)
            self._multi.add_handle(curl)
            self.started += 1
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
        exchange, answer = self._active.pop(curl)
        self._multi.remove_handle(curl)
        outcome: HttpObservation | ProbeError
        try:
            outcome = exchange.error(curl, *failure) if failure else exchange.observation(curl)
        except ProbeError as error:
            outcome = error
        curl.reset()
        self._idle.append(curl)
        answer(outcome)

    def _on_socket(self, event: int, handle: int, _multi: Any, _data: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            self._selector.unregister(handle)
        elif handle in self._selector.get_map():
            self._selector.modify(handle, _EVENTS[event], "curl")
        else:
            self._selector.register(handle, _EVENTS[event], "curl")

    def _on_timer(self, milliseconds: int) -> None:
        self._curl_due = None if milliseconds < 0 else self.clock() + milliseconds / 1000

    def _close(self) -> None:
        for curl in self._active:
            self._multi.remove_handle(curl)
            curl.close()
        self._active.clear()
        for curl in self._idle:
            curl.close()
        self._multi.close()
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)


def _flags(mask: int) -> int:
    read = pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0
    return read | (pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0)
