from __future__ import annotations

from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.policy import Action
from postdeploy.domain.verdict import Conclusion, Reason
from tests.domain.builders import (
    attempt,
    blocked,
    down,
    evidence,
    failed,
    incidents,
    passed,
    release,
    result,
    services,
    unheard,
    up,
)

FOREMOST = (
    "secret_missing", "config_error", "runner_fault", "safety_violation", "target_not_live", "wrong_release",
    "release_changed",
)  # fmt: skip
CUT_SHORT = ("interrupted", "internal_error", "worker_lost", "deadline_exceeded", "required_check_missing")


@pytest.mark.parametrize("reason", FOREMOST)
@pytest.mark.parametrize("check", [passed(), failed()])
def test_foremost_incident(reason: str, check: Any) -> None:
    """Evidence about the wrong thing is inconclusive, whatever the checks say."""
    verdict = decide(evidence(check, incidents=incidents("interrupted", reason)))
    assert (verdict.conclusion, verdict.reason, verdict.action) == (Conclusion.INCONCLUSIVE, reason, Action.HOLD)
    assert verdict.summary == f"{reason} happened"


@pytest.mark.parametrize("reason", ["all_required_passed", "newly_broken", "new_in_version_2", ""])
def test_strange_incident(reason: str) -> None:
    """An incident that nobody foresaw makes evidence worthless, for a failure too."""
    verdict = decide(evidence(failed(), incidents=incidents(reason)))
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.INTERNAL_ERROR)


@pytest.mark.parametrize("reason", CUT_SHORT)
def test_cut_short_and_failed(reason: str) -> None:
    """A confirmed failure counts even if the run was cut short."""
    verdict = decide(evidence(failed(), incidents=incidents(reason)))
    assert (verdict.conclusion, verdict.action) == (Conclusion.FAIL, Action.ROLLBACK)


def test_runner_fault_of_a_service() -> None:
    """A service that this machine cannot reach through its own fault condemns nobody."""
    state = down("api", "network_unreachable", target_fault=False)
    verdict = decide(evidence(failed(), services=services(up(), state)))
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.RUNNER_FAULT)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"live": False, "first": {"web": "r1"}, "last": {}}, Reason.WRONG_RELEASE),
        ({"live": False, "first": {}, "last": {}, "counts": {}}, Reason.TARGET_NOT_LIVE),
        ({"live": False}, Reason.TARGET_NOT_LIVE),
        ({"live": False, "problem": None, "first": {}, "last": {}}, Reason.TARGET_NOT_LIVE),
        ({"live": None, "first": {}, "last": {}}, Reason.TARGET_NOT_LIVE),
        ({"last": {"web": "r3"}}, Reason.RELEASE_CHANGED),
        ({"last": {"web": "r2", "api": "r1"}}, Reason.RELEASE_CHANGED),
        ({"first": {"web": "r2", "api": "r1"}}, Reason.RELEASE_CHANGED),
        ({"expected": "r9", "first": {"web": "r2"}}, Reason.WRONG_RELEASE),
    ],
)
@pytest.mark.parametrize("check", [passed(), failed()])
def test_another_release(changes: dict[str, Any], reason: Reason, check: Any) -> None:
    """A release that never came, is another one, or changed leaves nothing to judge."""
    verdict = decide(evidence(check, release=release(**changes)))
    assert (verdict.conclusion, verdict.reason, verdict.action) == (Conclusion.INCONCLUSIVE, reason, Action.HOLD)


@pytest.mark.parametrize("check", [passed(), failed()])
def test_services_that_changed_places(check: Any) -> None:
    """Services that have swapped releases that were there at the start have changed nevertheless."""
    first, last = {"web": "r1", "api": "r2"}, {"web": "r2", "api": "r1"}
    verdict = decide(evidence(check, release=release(expected=None, live=True, first=first, last=last)))
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.RELEASE_CHANGED)
    told = sorted(verdict.summary.removeprefix("the release changed during the run: ").split("; "))
    assert told == ["api answered r2 first and r1 last", "web answered r1 first and r2 last"]


@pytest.mark.parametrize(
    ("problem", "summary"), [(None, "the release did not become live in time"), ("it was r1", "it was r1")]
)
def test_a_release_that_never_came(problem: str | None, summary: str) -> None:
    """The verdict says what kept it, as far as anybody knows."""
    run = evidence(passed(), release=release(live=False, problem=problem, first={}, last={}, counts={}))
    assert decide(run).summary == summary


def test_nothing_tells_the_release() -> None:
    """If a release is expected and nobody looks for it, the verdict says what to add."""
    verdict = decide(evidence(passed(), release=release(live=None, first={}, last={})))
    assert verdict.summary == "nothing of the target says whether r2 answers; name a source under 'release'"


@pytest.mark.parametrize("code", ["certificate_expired", "tls_handshake", "not_tls", "http_503", "protocol_not_http"])
def test_nothing_but_wrong_answers(code: str) -> None:
    """A service that gives wrong answers only has failed, although no release could be read from it."""
    never = release(live=False, first={}, last={}, counts={"web": {}})
    run = evidence(blocked(), services=services(down(code=code)), release=never)
    assert decide(run).conclusion is Conclusion.FAIL


def test_wrong_answer_after_good_ones() -> None:
    """One wrong answer of a service that named releases before is no reason to blame it."""
    never = release(live=False, first={}, last={}, counts={"web": {"r1": 3}})
    verdict = decide(evidence(blocked(), services=services(down(code="http_502")), release=never))
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.TARGET_NOT_LIVE)


def test_failure_on_a_release_that_never_came() -> None:
    """A check that failed while the release never came does not count; the wrong answers of its service do not help."""
    never = release(live=False, first={}, last={}, counts={"web": {}})
    run = evidence(failed(), services=services(down(code="http_503")), release=never)
    assert decide(run).conclusion is Conclusion.INCONCLUSIVE


def test_no_service_ever_answered() -> None:
    """A target that never was there was not broken by anybody that we know."""
    nobody = release(expected=None, live=None, first={}, last={})
    run = evidence(blocked(), services=services(down("web"), down("api")), release=nobody)
    verdict = decide(run)
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.TARGET_NOT_LIVE)
    assert verdict.summary == "no service of the target answers; web: connection_refused (web)"


def test_was_live_and_went_away() -> None:
    """A target that was live and refuses now has failed."""
    run = evidence(blocked(), services=services(down("web"), down("api")))
    assert decide(run).action is Action.ROLLBACK


def test_answers_of_two_releases() -> None:
    """An old release that answers one attempt in twenty makes the run inconclusive."""
    mixed = result("mixed", "passed", attempts=(attempt(releases=("r2", "r1")),))
    verdict = decide(evidence(passed(), mixed))
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.RELEASE_CHANGED)
    assert verdict.summary == "more than one release answered: r1 beside r2"


@pytest.mark.parametrize(
    ("expected", "releases", "summary"),
    [
        ("r2", ("r2", "r1", "r0"), "more than one release answered: r0, r1 beside r2"),
        (None, ("r1",), "more than one release answered: r1 beside r2, r3"),
        (None, ("r1", "r0"), "more than one release answered: r0, r1 beside r2, r3"),
    ],
)
def test_all_releases_are_named(expected: str | None, releases: tuple[str, ...], summary: str) -> None:
    """People read every release that answered beside the ones that were there."""
    both = {"web": "r2", "api": "r3"} if expected is None else {"web": "r2"}
    mixed = result("mixed", "passed", attempts=(attempt(releases=releases),))
    run = evidence(mixed, release=release(expected=expected, live=True, first=both, last=both))
    assert decide(run).summary == summary


def test_two_releases_where_none_was_seen_at_the_start() -> None:
    """Two answers that differ are told of each other."""
    mixed = result("mixed", "passed", attempts=(attempt(releases=("r1", "r2")),))
    run = evidence(mixed, release=release(expected=None, live=None, first={}, last={}))
    assert decide(run).summary == "more than one release answered: r1, r2 beside each other"


def test_foreign_failure() -> None:
    """A failure of another release says nothing about this one."""
    foreign = failed(attempts=(attempt("failed", releases=("r1",)), attempt("failed", 2, releases=("r1",))))
    assert decide(evidence(foreign)).conclusion is Conclusion.INCONCLUSIVE


@pytest.mark.parametrize(
    ("first", "releases", "conclusion"),
    [
        ({"web": "a", "api": "b"}, ("a", "b"), Conclusion.PASS),
        ({"web": "a", "api": "b"}, ("a", "c"), Conclusion.INCONCLUSIVE),
        ({}, ("a",), Conclusion.PASS),
        ({}, ("a", "b"), Conclusion.INCONCLUSIVE),
        ({}, (), Conclusion.PASS),
    ],
)
def test_no_release_is_expected(first: Any, releases: tuple[str, ...], conclusion: Conclusion) -> None:
    """Where no release is expected, services may differ, but each stays what it was at the start."""
    free = release(expected=None, live=True if first else None, first=first, last=first)
    run = evidence(result("home", "passed", attempts=(attempt(releases=releases),)), release=free)
    assert decide(run).conclusion is conclusion


def test_unreachable_after_all() -> None:
    """A service that says no release at the end does not hide a failure that was confirmed."""
    run = evidence(
        blocked(attempts=(unheard("connection_refused"),)),
        services=services(down(), up("api")),
        release=release(last={"web": "?"}),
    )
    assert decide(run).action is Action.ROLLBACK
