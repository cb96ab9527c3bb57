from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

import pytest

from postdeploy.domain.evidence import ServiceState, Wait
from postdeploy.domain.policy import Confirmation
from postdeploy.domain.target import Service
from postdeploy.engine.preflight import Preflight
from postdeploy.probes.http_loop import HttpLoop
from tests.web_server import WebServer, respond

Examine = Callable[[Service], ServiceState]


@pytest.fixture
def loop() -> Iterator[HttpLoop]:
    """Give a running loop."""
    started = HttpLoop()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def examine(loop: HttpLoop) -> Examine:
    """Ask for the state of a service."""
    preflight = Preflight(loop, "run", Confirmation(2, 0.01))

    def ask(service: Service) -> ServiceState:
        state: Future[ServiceState] = Future()
        loop.call_soon(lambda: preflight.examine(service, state.set_result))
        return state.result(5)

    return ask


def test_any_answer_means_up(server: WebServer, examine: Examine) -> None:
    """A service without a health path is up when it answers at all."""
    server.script("*", respond(503))
    assert examine(Service("web", server.url)).live


def test_how_long_it_took_is_known(loop: HttpLoop, server: WebServer) -> None:
    """From the first question on, and nothing where nobody was asked."""
    times = iter((100.0, 100.5, 101.0, 103.0))
    preflight = Preflight(loop, "run", Confirmation(2, 0.01), wall=lambda: next(times))
    assert preflight.waits() == ()
    for service in (Service("web", server.url), Service("api", server.url)):
        state: Future[ServiceState] = Future()
        loop.call_soon(partial(preflight.examine, service, state.set_result))
        assert state.result(5).live
    assert preflight.waits() == (Wait("preflight", 100.0, 0.5),)


def test_a_health_path_must_answer_below_500(server: WebServer, examine: Examine) -> None:
    """At its health path a service is down when it answers 5xx, twice."""
    server.script("/healthz", respond(503))
    state = examine(Service("web", server.url, health="/healthz"))
    assert (state.live, state.code, state.attempts, state.target_fault) == (False, "http_503", 2, True)
    assert server.paths() == ["/healthz", "/healthz"]


def test_one_bad_answer_is_not_down(server: WebServer, examine: Examine) -> None:
    """A service that recovers at once is up."""
    server.script("/healthz", respond(503), respond(200))
    assert examine(Service("web", server.url, health="/healthz")).live


def test_a_service_below_a_path_is_asked_there(server: WebServer, examine: Examine) -> None:
    """The base path is part of the service."""
    assert examine(Service("api", f"{server.url}/api/v1")).live
    assert server.paths() == ["/api/v1/"]


def test_a_closed_port_is_down(server: WebServer, examine: Examine) -> None:
    """A refused connection is the target's fault, and the message says where."""
    server.down()
    state = examine(Service("web", server.url))
    assert (state.live, state.code, state.target_fault) == (False, "connection_refused", True)
    assert f"127.0.0.1:{server.port}" in str(state.message)


def test_every_question_is_over_a_connection_of_its_own(server: WebServer, examine: Examine) -> None:
    """A service that is asked twice is connected to twice."""
    server.script("/healthz", respond(500))
    examine(Service("web", server.url, health="/healthz"))
    assert [seen.connection for seen in server.seen] == [1, 2]


def test_many_who_ask_at_once_are_told_of_one_answer(server: WebServer, loop: HttpLoop) -> None:
    """Thirty checks that lost their service ask once."""
    preflight = Preflight(loop, "run", Confirmation(2, 0.01))
    told: list[ServiceState] = []
    done = threading.Event()

    def tell(state: ServiceState) -> None:
        told.append(state)
        if len(told) == 30:
            done.set()

    def ask() -> None:
        for _ in range(30):
            preflight.examine(Service("web", server.url), tell)

    loop.call_soon(ask)
    assert done.wait(2)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("number", "code", "ours"),
    [(socket.EAI_NONAME, "dns_not_found", False), (socket.EAI_AGAIN, "resolver_unavailable", True)],
)
def test_a_silent_resolver_is_not_the_targets_fault(
    examine: Examine, monkeypatch: pytest.MonkeyPatch, number: int, code: str, ours: bool
) -> None:
    """A name that does not exist is the target's fault; a resolver that does not answer is ours."""

    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "?")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    state = examine(Service("web", "http://nobody.invalid"))
    assert (state.live, state.code, state.target_fault) == (False, code, not ours)


def test_a_live_service_costs_one_request(server: WebServer, examine: Examine) -> None:
    """Nothing is asked twice where once is enough."""
    examine(replace(Service("web", server.url), health="/h"))
    assert server.paths() == ["/h"]
