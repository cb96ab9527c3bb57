from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.target import Budget
from postdeploy.errors import ProbeError
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import HttpRequest
from tests.web_server import Answer, WebServer, respond

Start = Callable[..., HttpLoop]
Outcome = HttpObservation | ProbeError


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Give a server that answers ``{}`` to everything."""
    started = WebServer()
    yield started
    started.close()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a loop."""
    with ExitStack() as stack:

        def begin(budget: Budget | None = None, **options: object) -> HttpLoop:
            loop = HttpLoop(budget or Budget(), **options)  # type: ignore[arg-type]
            loop.start()
            stack.callback(loop.stop)
            return loop

        yield begin


def open_files() -> int:
    """How many file descriptors this process has."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def fetch_all(loop: HttpLoop, requests: list[HttpRequest], timeout: float = 5) -> list[Outcome]:
    """The outcomes of all, in the order in which they came."""
    outcomes: list[Outcome] = []
    done = threading.Event()

    def hear(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if len(outcomes) == len(requests):
            done.set()

    def begin() -> None:
        for request in requests:
            loop.fetch(request, hear)

    loop.call_soon(begin)
    assert done.wait(timeout)
    return outcomes


def test_fifty_are_in_flight_at_once(server: WebServer, start: Start) -> None:
    """An answer of 50 ms is never seen as a quicker one, although fifty are under way (how true: benchmarks)."""
    server.script("/", respond(pause=0.05))
    requests = [HttpRequest("GET", server.url + "/", {"x": str(number)}) for number in range(200)]
    outcomes = fetch_all(start(), requests)
    assert all(isinstance(outcome, HttpObservation) and outcome.duration >= 0.05 for outcome in outcomes)
    assert server.peak == 50


def test_the_cap_holds(server: WebServer, start: Start) -> None:
    """No more are under way than the budget says, and the most is told."""
    server.script("/", respond(pause=0.01))
    loop = start(Budget(in_flight=4))
    fetch_all(loop, [HttpRequest("GET", server.url + "/")] * 20)
    assert (server.peak, loop.peak, loop.meter.book.requests) == (4, 4, 20)


def test_the_rate_holds(server: WebServer, start: Start) -> None:
    """Requests beyond so many a second wait for their turn."""
    loop = start(Budget(per_second=5))
    requests = [HttpRequest("GET", server.url + "/")] * 7
    with pytest.raises(AssertionError):
        fetch_all(loop, requests, timeout=0.5)
    assert len(server.seen) == 5


def test_a_spent_budget_answers_at_once(server: WebServer, start: Start) -> None:
    """Requests beyond the budget are errors of ours, and are not sent."""
    outcomes = fetch_all(start(Budget(requests=2)), [HttpRequest("GET", server.url + "/")] * 5)
    errors = [outcome for outcome in outcomes if isinstance(outcome, ProbeError)]
    assert (len(errors), {(error.code, error.target_fault) for error in errors}) == (3, {("budget_spent", False)})
    assert len(server.seen) == 2


def test_stopping_under_load_takes_no_time(server: WebServer, start: Start) -> None:
    """A loop with exchanges under way and waiting ends within a second, without a thread or a file left."""
    server.script("/", Answer(hang=True))
    loop = start()
    for _ in range(500):
        loop.call_soon(lambda: loop.fetch(HttpRequest("GET", server.url + "/"), print))
    while server.busy < 50:
        time.sleep(0.01)
    begun = time.monotonic()
    loop.stop()
    assert time.monotonic() - begun < 1
    assert not loop._thread.is_alive()


def test_files_are_closed(server: WebServer, start: Start) -> None:
    """A loop that has ended holds no socket and no pipe."""
    before = open_files()
    loop = HttpLoop()
    loop.start()
    fetch_all(loop, [HttpRequest("GET", server.url + "/")] * 10)
    loop.stop()
    server.down()
    server.up()
    assert open_files() <= before


def test_a_loop_that_never_started_can_be_stopped() -> None:
    """Stopping closes what was opened, and may be repeated."""
    before = open_files()
    loop = HttpLoop()
    loop.stop()
    loop.stop()
    assert open_files() == before


def test_a_crash_is_told(start: Start) -> None:
    """An exception that nobody expected reaches the listener, and the thread ends."""
    told: list[BaseException] = []
    loop = start(on_crash=told.append)
    loop.call_soon(lambda: (_ for _ in ()).throw(KeyError("oops")))
    loop._thread.join(2)
    assert isinstance(told[0], KeyError)
    loop.call_soon(lambda: None)


def test_callbacks_come_when_they_are_due(start: Start) -> None:
    """Later callbacks come in the order of their moments."""
    order: list[int] = []
    done = threading.Event()
    loop = start()

    def begin() -> None:
        loop.call_later(0.03, done.set)
        loop.call_later(0.02, lambda: order.append(2))
        loop.call_later(0.01, lambda: order.append(1))

    loop.call_soon(begin)
    assert done.wait(1)
    assert order == [1, 2]


def test_a_head_start_ends_when_all_is_sent_that_can_be(server: WebServer, start: Start) -> None:
    """Whoever waits for it finds as many under way as may be, none of them answered; and waits for no dead loop."""
    server.script("/", Answer(hang=True))
    loop, outcomes = start(Budget(in_flight=8)), list[Outcome]()

    def begin() -> None:
        for _ in range(9):
            loop.fetch(HttpRequest("GET", server.url + "/"), outcomes.append)

    loop.call_soon(begin)
    loop.let_send(patience=10)
    assert (loop.peak, outcomes) == (8, [])
    loop.stop()
    loop.let_send(patience=0.01)


def test_dropping_answers_what_waits_and_what_is_chosen(server: WebServer, start: Start) -> None:
    """Exchanges that are broken off get an error of ours; the others go on."""
    server.script("/keep", respond(pause=0.1)).script("/hang", Answer(hang=True))
    loop, outcomes, done = start(Budget(in_flight=2)), [], threading.Event()

    def hear(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if len(outcomes) == 3:
            done.set()

    def begin() -> None:
        for path in ("/keep", "/hang", "/waits"):
            loop.fetch(HttpRequest("GET", server.url + path, place=path), hear)
        loop.call_later(0.05, lambda: kept.extend(loop.drop(lambda request: request.place == "/hang")))

    kept: list[HttpRequest] = []
    loop.call_soon(begin)
    assert done.wait(2)
    assert [outcome.code for outcome in outcomes if isinstance(outcome, ProbeError)] == ["cut_off", "cut_off"]
    assert [request.place for request in kept] == ["/keep"]
    assert server.paths() == ["/keep", "/hang"]


def test_nothing_of_a_body_is_kept(server: WebServer, start: Start) -> None:
    """A handle that waits for its next exchange holds nothing of the last one."""
    server.script("/", respond(200, b"x" * 1_000_000))
    loop = start()
    fetch_all(loop, [HttpRequest("GET", server.url + "/")])
    time.sleep(0.02)
    assert len(loop._handles._idle) == 1
    assert loop._active == {}
