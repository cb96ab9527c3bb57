"""Sending each probe by its own way: libcurl, a small thread pool, or the browser; every answer comes on the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from postdeploy.created import CreationLedger
from postdeploy.domain.check import DnsProbe, HttpProbe, PageProbe, TcpProbe, TlsProbe, WebsocketProbe
from postdeploy.domain.observation import Observation, PageObservation, WebsocketObservation
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.target import Target
from postdeploy.engine.attempt import Answer, Ask
from postdeploy.engine.fetching import Fetcher, Wish
from postdeploy.engine.places import below
from postdeploy.errors import BrowserUnavailableError, PostdeployError, ProbeError
from postdeploy.guard.budget import BudgetSpentError
from postdeploy.guard.courtesy import Courtesy
from postdeploy.guard.fence import BrowserFence
from postdeploy.guard.identity import identity_headers
from postdeploy.lazy_dataclass import dataclass, field, replace
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import request_of

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from postdeploy.browser.task import PageTask

__all__ = ["Dispatcher", "Errand", "Pages"]

_THREADS: Final = 8

Deliver = Callable[[Answer], None]


class Pages:
    """What the engine needs of a browser; this one has none, and says why."""

    def __init__(self, problem: str = "no browser") -> None:
        self._problem = problem

    def submit(self, task: PageTask) -> Future[Any]:
        """A future of the observation of a page."""
        del task
        refused: Future[Any] = Future()
        refused.set_exception(BrowserUnavailableError(self._problem))
        return refused


@dataclass(frozen=True, slots=True)
class Errand:
    """An ask on behalf of an attempt, from 1; ``trace`` and ``evidence`` say what a page leaves behind."""

    check_id: str
    ask: Ask
    attempt: int = 1
    trace: bool = False
    evidence: Path | None = None


@dataclass(slots=True)
class Dispatcher:
    """Knows the ways out of one run.

    Args:
        target: where everything goes.
        loop: performs HTTP, and calls back.
        run_id: named in every request.
        pages: the browser.
        reports: the folder that evidence paths are relative to.
        deadline: when the run ends, in the seconds of the loop's clock.
        fence: what the browser may send.
        ledger: where it is noted what is created; None keeps no ledger.
        redactor: knows what pictures of pages may not show, and is told of what pages are given.
    """

    target: Target
    loop: HttpLoop
    run_id: str
    pages: Any = field(default_factory=Pages)
    reports: Path | None = None
    deadline: float | None = None
    fence: BrowserFence | None = None
    ledger: CreationLedger | None = None
    redactor: Redactor | None = None
    _threads: ThreadPoolExecutor | None = None
    _fetcher: Fetcher | None = None

    def send(self, errand: Errand, deliver: Deliver) -> None:
        """Start the probe; ``deliver`` is called on the loop's thread, once."""
        probe = errand.ask.step.probe
        if isinstance(probe, HttpProbe):
            self._send_http(probe, errand, deliver)
        elif isinstance(probe, PageProbe):
            self._send_page(probe, errand, deliver)
        else:
            self._send_blocking(probe, errand, deliver)

    @property
    def fetcher(self) -> Fetcher:
        """The way out by HTTP, which all checks of this process share."""
        if self._fetcher is None:
            self._fetcher = Fetcher(
                self.target, self.loop, Courtesy(self.loop.clock, self.deadline, self.loop.meter.book)
            )
        return self._fetcher

    def note(self, record: Mapping[str, Any], done: Callable[[PostdeployError | None], None]) -> None:
        """Write to the ledger beside the loop; ``done`` is called on its thread, with what went wrong if it did."""
        ledger = self.ledger

        def write() -> PostdeployError | None:
            try:
                if ledger is not None:
                    ledger.write(record)
            except PostdeployError as error:
                return error
            return None

        def written(future: Future[PostdeployError | None]) -> None:
            problem = PostdeployError("the run ended before this was noted") if future.cancelled() else future.result()
            self.loop.call_soon(lambda: done(problem))

        self._pool().submit(write).add_done_callback(written)

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor

            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="postdeploy-probe")
        return self._threads

    def close(self) -> None:
        """Let go of the threads; what they wait for has its own bound."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _send_http(self, probe: HttpProbe, errand: Errand, deliver: Deliver) -> None:
        request = request_of(
            probe,
            self.target.url(probe.location),
            headers=identity_headers(self.run_id, errand.check_id, errand.attempt),
            timeout=errand.ask.step.timeout,
            release_header=self.target.release.header if self.target.release else None,
        )
        wish = Wish(deliver, errand.ask.settled, probe.follow)
        self.fetcher.fetch(request, wish)

    def _send_page(self, probe: PageProbe, errand: Errand, deliver: Deliver) -> None:
        from postdeploy.browser.task import PageTask

        settled = errand.ask.settled
        task = PageTask(
            url=self.target.url(probe.location),
            place=str(probe.location),
            timeout=errand.ask.step.timeout,
            selectors=probe.selectors,
            texts=probe.texts,
            headers={
                name: value
                for name, value in identity_headers(self.run_id, errand.check_id, errand.attempt).items()
                if name != "User-Agent"
            },
            evidence=errand.evidence,
            trace=errand.trace,
            settled=settled,
            allowed=self.fence.refusal if self.fence else None,
            routed=self.fence.routed if self.fence else True,
            sealed=self.fence.sealed if self.fence else True,
            pace=self.fence.pace if self.fence else None,
            redactor=self.redactor,
        )
        self._await(self.pages.submit(task), lambda answer: deliver(self._relative(answer)))

    def _relative(self, answer: Answer) -> Answer:
        if self.reports is None or not isinstance(answer, PageObservation) or not answer.evidence:
            return answer
        return replace(answer, evidence=tuple(below(self.reports, path) for path in answer.evidence))

    def _send_blocking(self, probe: Any, errand: Errand, deliver: Deliver) -> None:
        if isinstance(probe, WebsocketProbe):
            own = {name.lower() for name in probe.headers}
            ours = identity_headers(self.run_id, errand.check_id, errand.attempt)
            added = {name: value for name, value in ours.items() if name.lower() not in own}
            probe = replace(probe, headers={**added, **probe.headers})
        timeout = errand.ask.step.timeout
        self._in_turn(lambda: self._observe(probe, timeout, deliver), deliver)

    def _in_turn(self, go: Callable[[], None], refuse: Deliver) -> None:
        """Do it when courtesy and budget let it pass."""
        courtesy = self.fetcher.courtesy
        if courtesy.stopped:
            self._refuse(ProbeError("rate_limited", courtesy.stopped, target_fault=False), refuse)
            return
        try:
            pause = courtesy.pause() or self.loop.meter.take(self.loop.clock())
        except BudgetSpentError as error:
            self._refuse(ProbeError("budget_spent", str(error), target_fault=False), refuse)
            return
        if pause > 0:
            self.loop.call_later(pause, lambda: self._in_turn(go, refuse))
        else:
            go()

    def _refuse(self, error: ProbeError, deliver: Deliver) -> None:
        self.loop.call_soon(lambda: deliver(error))

    def _observe(self, probe: Any, timeout: float, deliver: Deliver) -> None:
        future = self._pool().submit(_blocking(probe), probe, self.target, timeout=timeout)
        future.add_done_callback(lambda done: self.loop.meter.give_back(_received(done)))
        self._await(future, deliver)

    def _await(self, future: Future[Observation], deliver: Deliver) -> None:
        def done(finished: Future[Observation]) -> None:
            answer = _answer(finished)
            self.loop.call_soon(lambda: deliver(answer))

        future.add_done_callback(done)


def _received(future: Future[Observation]) -> int:
    """Bytes that a probe was told, as far as it keeps them."""
    if future.cancelled() or future.exception() is not None:
        return 0
    seen = future.result()
    told = seen.messages if isinstance(seen, WebsocketObservation) else (getattr(seen, "banner", ""),)
    return sum(len(text.encode("utf-8", "replace")) for text in told)


def _answer(future: Future[Observation]) -> Answer:
    if future.cancelled():
        return PostdeployError("the run ended before this probe did")
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, PostdeployError):
        return error
    return PostdeployError(f"{type(error).__name__}: {error}")


def _blocking(probe: Any) -> Callable[..., Observation]:
    """The function for a kind of probe, imported where a run first needs it."""
    if isinstance(probe, TlsProbe):
        from postdeploy.probes import tls

        return tls.observe
    if isinstance(probe, DnsProbe):
        from postdeploy.probes import dns

        return dns.observe
    if isinstance(probe, TcpProbe):
        from postdeploy.probes import tcp

        return tcp.observe
    if isinstance(probe, WebsocketProbe):
        from postdeploy.probes import websocket

        return websocket.observe
    raise TypeError(f"no probe for {type(probe).__name__}")
