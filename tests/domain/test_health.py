from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import Evidence, ServiceState
from postdeploy.domain.health import control_answers, control_warnings, sick_network
from postdeploy.domain.policy import Action
from postdeploy.domain.result import CheckResult, Fault, Outcome
from postdeploy.domain.verdict import Conclusion, Reason
from tests.domain.builders import (
    BEGIN,
    WEB,
    attempt,
    blocked,
    control,
    down,
    evidence,
    failed,
    passed,
    plan,
    release,
    result,
    services,
    unheard,
    up,
)

WELL = control()
SICK = control(healthy=False)
SILENT = ("connect_timeout", "host_unreachable", "dns_not_found", "connection_failed")
NOBODY: dict[str, Any] = {"expected": None, "live": None, "first": {}, "last": {}}


def said(run: Evidence) -> tuple[Conclusion, Reason, Action]:
    """The verdict in three words."""
    verdict = decide(run)
    return verdict.conclusion, verdict.reason, verdict.action


FAIL = (Conclusion.FAIL, Reason.CONFIRMED_FAILURE, Action.ROLLBACK)
OURS = (Conclusion.INCONCLUSIVE, Reason.RUNNER_FAULT, Action.HOLD)
NOT_LIVE = (Conclusion.INCONCLUSIVE, Reason.TARGET_NOT_LIVE, Action.HOLD)


def unreachable(code: str, *control_results: Any, **changes: Any) -> Evidence:
    """A run in which no service ever answered."""
    facts = {"services": services(down("web", code), down("api", code)), "release": release(**NOBODY)}
    return evidence(blocked(), control=control_results, **facts | changes)


def away(*codes: str) -> CheckResult:
    """A check that lost its service on the way, two seconds apart."""
    attempts = tuple(unheard(code, 2.0 * number) for number, code in enumerate(codes))
    return result("home", "failed", "failed", attempts=attempts)


@pytest.mark.parametrize("code", ["connection_refused", "connection_reset", "timeout", *SILENT])
@pytest.mark.parametrize(("results", "expected"), [((WELL,), FAIL), ((SICK,), OURS), ((), NOT_LIVE)])
def test_a_target_that_never_answered(code: str, results: Any, expected: Any) -> None:
    """It is down where the control URL answers; the runner is sick where that is silent too; else nobody knows."""
    assert said(unreachable(code, *results)) == expected


@pytest.mark.parametrize("code", ["connection_refused", "timeout", *SILENT])
def test_a_release_that_never_came_is_no_failure(code: str) -> None:
    """Whoever waits for a release in vain has seen nothing of it, however well the runner is."""
    waited = release(live=False, first={}, last={}, counts={})
    assert said(unreachable(code, WELL, release=waited)) == NOT_LIVE


@pytest.mark.parametrize("code", ["connection_refused", "timeout", *SILENT])
def test_connections_that_fail_beside_a_control_that_answers(code: str) -> None:
    """A check that lost its service twice has failed, since the network of the runner works."""
    assert said(evidence(away(code, code), control=(control(at=3.0),))) == FAIL


@pytest.mark.parametrize("code", SILENT)
def test_silence_after_the_last_control(code: str) -> None:
    """A control that answered before the silence began proves nothing of the network during it."""
    run = evidence(away(code, code), control=(control(at=1.0),), release=release(last={"web": "?"}))
    assert decide(run).conclusion is Conclusion.INCONCLUSIVE


def test_a_sick_runner_outweighs_every_failure() -> None:
    """Connections that fail here and elsewhere leave no failure that could be trusted."""
    run = evidence(failed("a"), away("timeout", "timeout"), control=(SICK,))
    assert said(run) == OURS
    assert decide(run).summary == "connections to the target fail (timeout), and so do control probes: url is sick"


def test_a_control_matters_only_where_connections_fail() -> None:
    """The target answers, so whatever the control URL does, a failure is one and a pass is one."""
    bad = attempt("failed", fault=Fault(WEB + "/", "http_500"))
    again = attempt("failed", 2, fault=Fault(WEB + "/", "http_500"))
    assert said(evidence(result("home", "failed", attempts=(bad, again)), control=(SICK,))) == FAIL
    verdict = decide(evidence(passed(), control=(SICK,)))
    assert (verdict.conclusion, verdict.reason) == (Conclusion.PASS, Reason.PASSED_WITH_WARNINGS)
    assert verdict.warnings == ("control: url is sick",)


def test_a_service_that_answers_wrongly_beside_a_sick_control() -> None:
    """A health path that answers 503 did so over a network that works."""
    assert said(evidence(blocked(), services=services(down(code="http_503"), up("api")), control=(SICK,))) == FAIL


def test_one_connection_that_failed_once() -> None:
    """A check that passed when it was repeated is no sign of a sick runner."""
    flaky = result("home", "failed", "passed", attempts=(unheard("connection_reset"), attempt(at=2)))
    assert decide(evidence(flaky, control=(SICK,))).conclusion is Conclusion.PASS


def test_what_was_asked_after_the_failure_counts() -> None:
    """A control that recovered before anything failed is well; one that was well at the start is not any more."""
    begun_sick, begun_well = control(healthy=False, moment="start"), control(moment="start")
    assert said(unreachable("timeout", begun_sick, WELL)) == FAIL
    assert said(unreachable("timeout", begun_well, SICK)) == OURS
    assert said(unreachable("timeout", begun_sick)) == OURS


def test_one_worker_whose_control_is_silent() -> None:
    """Where several processes asked, one that got no answer is enough to doubt."""
    assert said(unreachable("timeout", WELL, SICK)) == OURS


@pytest.mark.parametrize(
    ("probe", "code", "ours"),
    [
        ("resolver", "dns_not_found", True),
        ("resolver", "timeout", False),
        ("route", "connect_timeout", True),
        ("route", "connection_refused", False),
        ("clock", "timeout", False),
        ("credentials", "timeout", False),
    ],
)
def test_what_a_control_probe_explains(probe: str, code: str, *, ours: bool) -> None:
    """A resolver explains names, a route explains silence, and neither explains anything else."""
    run = evidence(away(code, code), control=(control(probe, healthy=False),))
    assert (decide(run).reason is Reason.RUNNER_FAULT) is ours


def test_a_machine_that_needs_no_default_route() -> None:
    """Where the control URL answers, a missing default route explains nothing, and nobody is warned of it."""
    route = control("route", healthy=False)
    assert said(evidence(away("connect_timeout", "connect_timeout"), control=(route, control(at=3)))) == FAIL
    assert list(control_warnings(evidence(passed(), control=(route,)))) == []


@pytest.mark.parametrize("code", ["network_unreachable", "resolver_unavailable", "too_many_files", "no_free_port"])
def test_a_fault_of_this_machine(code: str) -> None:
    """A check that this machine could not make is the runner's fault, and so are connections that fail beside it."""
    own = result("own", "errored", attempts=(attempt("errored", exchanges=0, code=code),))
    assert said(evidence(passed("a"), own)) == OURS
    assert said(evidence(own, away("timeout", "timeout"))) == OURS
    assert said(evidence(own, away("timeout", "timeout"), control=(control(at=3),))) == FAIL


def test_an_error_that_is_nobodys_machine() -> None:
    """A check that could not be made for another reason is not proven."""
    run = evidence(result("own", "errored", attempts=(attempt("errored", code="rate_limited"),)))
    assert decide(run).reason is Reason.REQUIRED_CHECK_NOT_PROVEN


@pytest.mark.parametrize("code", ["certificate_expired", "certificate_not_yet_valid"])
def test_a_certificate_that_a_wrong_clock_refuses(code: str) -> None:
    """A certificate that is not valid by a clock that is wrong says nothing of the target."""
    clock = control("clock", healthy=False, code="clock_skew", skew=5e6)
    states = services(down("web", code), down("api", code))
    assert said(evidence(blocked(), services=states, control=(clock, WELL))) == OURS
    assert said(evidence(away(code, code), control=(clock,))) == OURS
    assert said(evidence(blocked(), services=states, control=(control("clock"), WELL))) == FAIL
    waited = release(live=False, first={}, last={}, counts={})
    assert said(evidence(blocked(), services=states, release=waited, control=(clock,))) == OURS


@pytest.mark.parametrize(("status", "ours"), [(401, True), (403, True), (404, False), (None, False)])
@pytest.mark.parametrize("probe", ["credentials", "clock"])
def test_credentials_that_are_refused(probe: str, status: int | None, *, ours: bool) -> None:
    """Where the account of the checks is at fault, or the clock that signs, an answer of 401 or 403 is no failure."""
    attempts = (attempt("failed", status=status), attempt("failed", 2, status=status))
    refused = result("home", "failed", attempts=attempts)
    run = evidence(refused, control=(control(probe, healthy=False),))
    assert said(run) == (OURS if ours else FAIL)
    other = failed("other", attempts=(attempt("failed", status=500), attempt("failed", 2, status=500)))
    assert said(evidence(refused, other, control=(control(probe, healthy=False),))) == FAIL


def test_credentials_that_were_refused_once() -> None:
    """A check that was not repeated, as there was no time, is excused in the words of its outcome."""
    refused = CheckResult("home", Outcome.NOT_RUN, (attempt("failed", status=401),), "the deadline came")
    run = evidence(refused, control=(control("credentials", healthy=False),))
    assert (said(run), decide(run).summary) == (OURS, "home: not run, but credentials is sick")


def test_excused_minor_check() -> None:
    """A minor check that is excused keeps nobody from a pass."""
    refused = result("b", "failed", attempts=(attempt("failed", status=401), attempt("failed", 2, status=401)))
    run = evidence(
        passed("a"), refused, plan=(plan("a"), plan("b", "minor")), control=(control("credentials", healthy=False),)
    )
    assert decide(run).conclusion is Conclusion.PASS


def test_a_live_service_and_one_that_is_away() -> None:
    """A service that refuses beside one that answers has failed without any control."""
    assert said(evidence(blocked(by="api"), services=services(up(), down("api")))) == FAIL


def test_another_control_that_is_well_is_no_answer_of_the_url() -> None:
    """Only the control URL shows that connections come about: a clock that is right does not."""
    run = evidence(away("connect_timeout", "connect_timeout"), release=release(**NOBODY))
    route, clock = control("route", healthy=False), control("clock")
    assert "control probes" in (sick_network(replace(run, control=(clock, route))) or "")
    assert sick_network(replace(run, control=(WELL, route))) is None


def test_every_control_is_looked_at_for_an_excuse() -> None:
    """Also those after one that is well."""
    refused = result("home", "failed", attempts=(attempt("failed", status=401), attempt("failed", 2, status=401)))
    assert said(evidence(refused, control=(WELL, control("credentials", healthy=False)))) == OURS


def test_a_control_that_answers_at_the_very_moment() -> None:
    """It is as good as one that answers later."""
    run = evidence(passed(), control=(control(at=1.0),))
    assert control_answers(run, BEGIN + 1.0)
    assert not control_answers(run, BEGIN + 1.01)


def test_each_control_that_fails_is_told_once() -> None:
    """With its last word; of credentials each is told."""
    run = evidence(
        passed(),
        control=(
            control(healthy=False, message="the url is slow"),
            control(healthy=False, message="the url is silent"),
            control("credentials", healthy=False, message="one is refused"),
            control("credentials", healthy=False, message="another is refused"),
        ),
    )
    told = ["control: the url is silent", "control: one is refused", "control: another is refused"]
    assert list(control_warnings(run)) == told


def test_services_that_say_no_more_than_that_they_are_down_or_up() -> None:
    """One without a code is no trouble of connections, and one that is there is none either."""
    for state in (ServiceState("web", False), ServiceState("web", True, "timeout")):
        assert sick_network(evidence(passed(), services=services(state), control=(SICK,))) is None


def test_troubles_are_told_in_words() -> None:
    """Each kind once, in the order of the alphabet."""
    codes = services(down("web", "connect_timeout"), down("api", "connection_refused"))
    told = sick_network(evidence(blocked(), services=codes, control=(SICK,)))
    kinds = "connect timeout, connection refused"
    assert told == f"connections to the target fail ({kinds}), and so do control probes: url is sick"
