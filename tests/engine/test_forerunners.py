"""Reads that begin beside the preflight of their service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import Budget, Target
from postdeploy.engine.engine import Engine
from tests.web_server import Answer, WebServer, respond

Make = Callable[..., Any]
Run = Callable[..., Engine]


def outcome(engine: Engine) -> CheckResult:
    """What came of the check."""
    return engine.result("suite.yaml::it works").result(5)


@pytest.fixture
def healthy(target: Target) -> Target:
    """Give the target with a health path."""
    return replace(target, services={"web": replace(target.services["web"], health="/healthz")})


def test_a_read_does_not_wait_for_the_preflight(
    server: WebServer, check: Make, step: Make, run: Run, healthy: Target
) -> None:
    """It has its answer before the service has said that it is there, and its result only then."""
    server.script("/healthz", respond(pause=0.3))
    engine = run(check(step("/a")), on=healthy)
    result = outcome(engine)
    assert (result.outcome, len(result.attempts), engine.ready.done()) == (Outcome.PASSED, 1, True)
    assert result.attempts[0].duration < 0.2
    assert sorted(server.paths()) == ["/a", "/healthz"]


def test_what_a_dead_service_answered_early_does_not_count(
    server: WebServer, check: Make, step: Make, run: Run, healthy: Target
) -> None:
    """Its check is blocked, without any attempt, although the answer was as expected."""
    server.script("/healthz", respond(503))
    result = outcome(run(check(step("/a")), on=healthy))
    assert (result.outcome, result.blocked_by, result.attempts) == (Outcome.BLOCKED, "web", ())
    assert "/a" in server.paths()


def test_a_service_that_comes_up_finds_its_checks_begun_again(
    server: WebServer, check: Make, step: Make, run: Run, healthy: Target
) -> None:
    """A read that failed before the service was there is no failing attempt: the check passes, and is not flaky."""
    server.script("/healthz", respond(503), respond()).script("/a", respond(404), respond())
    result = outcome(run(check(step("/a")), on=healthy))
    assert (result.outcome, len(result.attempts), result.flaky) == (Outcome.PASSED, 1, False)


@pytest.mark.parametrize(
    ("method", "budget"), [("POST", Budget()), ("GET", Budget(requests=9))], ids=["a write", "a counted request"]
)
def test_what_waits(
    server: WebServer, check: Make, step: Make, run: Run, healthy: Target, method: str, budget: Budget
) -> None:
    """Nothing that writes is sent to a service that may not be there, and nothing where requests are counted."""
    server.script("/healthz", respond(503))
    result = outcome(run(check(step("/a", method=method)), on=replace(healthy, budget=budget)))
    assert result.outcome is Outcome.BLOCKED
    assert set(server.paths()) == {"/healthz"}


def test_the_deadline_ends_what_began_early(server: WebServer, check: Make, step: Make, run: Run) -> None:
    """A read without an answer is not run when the time is over, though its service never said anything."""
    server.script("*", Answer(hang=True))
    assert outcome(run(check(step("/a")), deadline=0.2)).outcome is Outcome.NOT_RUN
