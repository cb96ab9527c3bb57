from __future__ import annotations

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.maintenance import asks_to_come_back, shows_maintenance
from postdeploy.domain.observation import HttpObservation, Observation, PageObservation, TcpObservation
from postdeploy.domain.policy import OnMaintenance, Policy
from postdeploy.domain.result import CheckResult, Fault, Outcome
from postdeploy.domain.target import Maintenance
from postdeploy.domain.verdict import Conclusion, Reason
from tests.domain.builders import WEB, attempt, blocked, down, evidence, failed, passed, plan, result, services, up


def http(status: int, body: bytes = b"", **headers: str) -> HttpObservation:
    """An answer by HTTP."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpObservation(place="web:/", duration=0.1, method="GET", url=WEB, status=status, headers=fields, body=body)


def page(text: str) -> PageObservation:
    """A page with a text."""
    return PageObservation(place="web:/", duration=0.1, status=200, title="", url=WEB, body_text=text)


@pytest.mark.parametrize(
    ("answer", "back"),
    [(http(503, retry_after="9"), True), (http(503), False), (http(500, retry_after="9"), False), (page(""), False)],
)
def test_an_answer_that_asks_to_come_back(answer: Observation, *, back: bool) -> None:
    """Only 503 with Retry-After does."""
    assert asks_to_come_back(answer) is back


@pytest.mark.parametrize(
    ("answer", "marker", "closed"),
    [
        (http(200, b"back soon"), Maintenance(), False),
        (http(200, b"We are back soon"), Maintenance(contains="back soon"), True),
        (http(200, b"welcome"), Maintenance(contains="back soon"), False),
        (http(200, x_closed=""), Maintenance(header="x-closed"), True),
        (http(200), Maintenance(header="x-closed"), False),
        (page("We are back soon"), Maintenance(contains="back soon"), True),
        (page("welcome"), Maintenance(contains="back soon"), False),
        (page("welcome"), Maintenance(header="x-closed"), False),
        (TcpObservation(place="web", duration=0.1), Maintenance(contains="back soon"), False),
    ],
)
def test_an_answer_that_shows_maintenance(answer: Observation, marker: Maintenance, *, closed: bool) -> None:
    """The marker of the target decides, whatever the status is."""
    assert shows_maintenance(answer, marker) is closed


def _closed() -> list[Evidence]:
    """Runs of which nothing can be said but that a service is in maintenance."""
    states = services(down(code="http_maintenance"), up("api"))
    shut = tuple(attempt("failed", at, fault=Fault(WEB + "/", "http_maintenance")) for at in (0.0, 2.0))
    return [evidence(blocked(), services=states), evidence(result("home", "failed", attempts=shut))]


@pytest.mark.parametrize("run", _closed())
def test_what_maintenance_means(run: Evidence) -> None:
    """A failure after a deploy, and nothing that anybody can judge where the policy says so."""
    verdict = decide(run)
    assert (verdict.conclusion, verdict.reason) == (Conclusion.FAIL, Reason.CONFIRMED_FAILURE)
    held = decide(run, Policy(on_maintenance=OnMaintenance.HOLD))
    assert (held.conclusion, held.reason) == (Conclusion.INCONCLUSIVE, Reason.TARGET_NOT_LIVE)
    assert "maintenance" in held.summary


def test_a_failure_beside_maintenance() -> None:
    """A check that failed by itself has failed, whatever else is closed."""
    hold = Policy(on_maintenance=OnMaintenance.HOLD)
    states = services(down(code="http_maintenance"), up("api"))
    run = evidence(blocked("a"), failed("b"), passed("c"), services=states)
    assert decide(run, hold).conclusion is Conclusion.FAIL
    minor = evidence(blocked("a"), passed("c"), plan=(plan("a", "minor"), plan("c")), services=states, pytest_exit=0)
    assert decide(minor, hold).conclusion is Conclusion.PASS


def test_maintenance_that_was_seen_once() -> None:
    """What is no failure yet is not proven where maintenance is one, and holds in words of its own where it is not."""
    once = (attempt("failed", fault=Fault(WEB + "/", "http_maintenance")),)
    run = evidence(CheckResult("home", Outcome.NOT_RUN, once, "the deadline came"), passed("other"), pytest_exit=0)
    told = decide(run)
    assert (told.reason, told.summary) == (Reason.REQUIRED_CHECK_NOT_PROVEN, "home: not run, the deadline came")
    held = decide(run, Policy(on_maintenance=OnMaintenance.HOLD))
    assert held.summary == "home: not run, its service says that it is in maintenance"


def test_its_cause() -> None:
    """People read what it is."""
    (cause,) = decide(_closed()[1]).causes
    assert cause.summary == "service web: is in maintenance"
