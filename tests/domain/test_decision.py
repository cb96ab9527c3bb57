from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import (
    Baseline,
    Evidence,
    Incident,
    PlannedCheck,
    ReleaseEvidence,
    ServiceState,
    fold,
)
from postdeploy.domain.policy import Action, Confirmation, OnFailure, Policy, Severity
from postdeploy.domain.result import Attempt, CheckResult, Fault, Finding, Outcome
from postdeploy.domain.verdict import Conclusion, Reason
from tests.domain.builders import BEGIN, WEB, evidence, failed, passed, policy, records

NAMES = ("a", "b", "c")
CODES = ("connection_refused", "connect_timeout", "http_503", "certificate_expired", "network_unreachable")
mostly = st.sampled_from((True, True, True, False))

attempts = st.builds(
    Attempt,
    outcome=st.sampled_from((Outcome.PASSED, Outcome.PASSED, Outcome.FAILED, Outcome.FAILED, Outcome.ERRORED)),
    started=st.floats(0, 10).map(lambda seconds: BEGIN + round(seconds, 1)),
    duration=st.sampled_from((0.0, 0.5)),
    findings=st.sampled_from(((), (Finding("mismatch", "status", "200", "404"),))),
    exchanges=st.sampled_from((1, 1, 1, 0)),
    releases=st.sampled_from(((), ("r2",), ("r2",), ("r1",))),
    fault=st.none() | st.builds(Fault, url=st.just(WEB + "/"), code=st.sampled_from(CODES)),
)
results = st.builds(
    CheckResult,
    check_id=st.just(""),
    outcome=st.sampled_from((*Outcome, Outcome.PASSED, Outcome.PASSED, Outcome.FAILED)),
    attempts=st.lists(attempts, max_size=4).map(tuple),
    reason=st.none() | st.just("why"),
    blocked_by=st.none() | st.sampled_from(("web", "api")),
    by_policy=st.booleans(),
)
plans = st.builds(
    PlannedCheck,
    id=st.just(""), name=st.just("check"), kind=st.just("api"), severity=st.sampled_from(Severity),
    path=st.just("suites/api.yaml"), line=st.just(1), services=st.just(("web",)), may_repeat=mostly,
)  # fmt: skip
states = st.builds(
    ServiceState,
    name=st.just(""), live=mostly, code=st.sampled_from(CODES), message=st.just("down"), target_fault=mostly,
    attempts=st.integers(0, 3),
)  # fmt: skip
named = st.dictionaries(st.sampled_from(("web", "api")), st.sampled_from(("r2", "r2", "r2", "r1", "?")), max_size=2)
releases = st.builds(
    ReleaseEvidence,
    expected=st.sampled_from(("r2", "r2", None)),
    live=st.sampled_from((True, True, True, False, None)),
    waited=st.just(1.0),
    first=named,
    last=named,
    counts=st.sampled_from(({}, {"web": {"r2": 1}})),
)
policies = st.builds(
    Policy,
    confirm=st.builds(Confirmation, attempts=st.integers(1, 3), spacing=st.sampled_from((0.0, 1.0))),
    flaky=st.integers(0, 2),
    actions=st.fixed_dictionaries({severity: st.sampled_from(OnFailure) for severity in Severity}).map(
        MappingProxyType
    ),
)
runs = st.builds(
    Evidence,
    run=st.just({"id": "run-1", "started": BEGIN}),
    target=st.just({"name": "staging", "services": {"web": WEB}}),
    policy=policies,
    plan=st.lists(plans, max_size=3).map(
        lambda checks: tuple(replace(check, id=name) for check, name in zip(checks, NAMES, strict=False))
    ),
    narrowed_by=st.sampled_from(((), (), ("-k",))),
    results=st.dictionaries(st.sampled_from(NAMES), results, max_size=3).map(
        lambda given: {name: replace(each, check_id=name) for name, each in given.items()}
    ),
    services=st.dictionaries(st.sampled_from(("web", "api")), states).map(
        lambda given: {name: replace(each, name=name) for name, each in given.items()}
    ),
    release=releases,
    incidents=st.lists(st.builds(Incident, st.sampled_from((*Reason, "odd")), st.just("so")), max_size=1).map(tuple),
    baseline=st.none()
    | st.builds(
        Baseline, st.sampled_from(("r1", "r2", None)), st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Outcome))
    ),
    finished=st.just(True),
    finished_at=st.just(BEGIN + 20),
    pytest_exit=st.sampled_from((0, 0, 0, 1, 1, 2, 3, -9)),
)  # fmt: skip
hopeful = st.builds(
    lambda run, names: replace(run, results=run.results | {name: passed(name) for name in names}),
    runs.map(lambda run: replace(run, incidents=(), narrowed_by=(), release=evidence().release, services={})),
    st.sets(st.sampled_from(NAMES), min_size=2),
)
gloomy = st.builds(
    lambda run, names: replace(run, results=run.results | {name: failed(name) for name in names}),
    runs.map(lambda run: replace(run, incidents=(), release=evidence().release, services={})),
    st.sets(st.sampled_from(NAMES), min_size=1),
)


def proven(check: PlannedCheck, run: Evidence) -> bool:
    """Whether a check stands for a pass."""
    outcome = run.result(check)
    if outcome.outcome is Outcome.SKIPPED:
        return outcome.by_policy
    last = outcome.last
    real = last is not None and last.outcome is Outcome.PASSED and last.exchanges > 0
    return outcome.outcome is Outcome.PASSED and real


@given(runs | hopeful)
def test_pass_is_proven(run: Evidence) -> None:
    """Whatever the evidence, a pass means that all of it was there."""
    verdict = decide(run)
    assert (verdict.conclusion is Conclusion.PASS) == (verdict.action is Action.PROMOTE)
    if verdict.conclusion is not Conclusion.PASS:
        return
    required = [check for check in run.plan if check.severity is not Severity.MINOR]
    assert run.finished
    assert all(proven(check, run) for check in required)
    assert any(run.result(check).outcome is Outcome.PASSED for check in required)
    assert not run.incidents
    assert not run.narrowed_by
    assert not run.unplanned()
    assert run.pytest_exit in {0, 1}
    assert run.release.expected is None or run.release.live is True
    assert run.release.first.items() <= run.release.last.items()
    assert sum(run.result(check).flaky for check in run.plan) <= run.policy.flaky


def confirmed(check: PlannedCheck, run: Evidence) -> bool:
    """Whether a check has failed for sure, of the target."""
    outcome, confirm = run.result(check), run.policy.confirm
    if outcome.outcome is Outcome.BLOCKED:
        state = run.services[outcome.blocked_by or ""]
        return not state.live and state.target_fault and state.attempts >= confirm.attempts
    times = sorted(attempt.started for attempt in outcome.attempts)
    far = sum(later - earlier >= confirm.spacing - 0.051 for earlier, later in pairwise(times))
    only_failing = all(attempt.outcome is Outcome.FAILED for attempt in outcome.attempts)
    of_the_target = all(attempt.exchanges or attempt.fault for attempt in outcome.attempts)
    spread = bool(times) and times[-1] - times[0] >= (confirm.attempts - 1) * (confirm.spacing - 0.051)
    enough = len(times) >= confirm.attempts and (far >= 1 or confirm.attempts == 1 or spread)
    return outcome.outcome is Outcome.FAILED and only_failing and of_the_target and enough


@given(runs | gloomy)
def test_rollback_is_confirmed(run: Evidence) -> None:
    """Whatever the evidence, a rollback means a confirmed new failure on the expected release, and no fault of ours."""
    verdict = decide(run)
    if verdict.action is not Action.ROLLBACK:
        return
    rolling = [check for check in run.plan if run.policy.actions[check.severity] is OnFailure.ROLLBACK]
    assert verdict.conclusion is Conclusion.FAIL
    assert any(confirmed(check, run) for check in rolling)
    assert {name for each in run.results.values() for a in each.attempts for name in a.releases} <= {"r2"} or not (
        run.release.expected
    )
    assert not {incident.reason for incident in run.incidents} & {
        "config_error", "secret_missing", "runner_fault", "safety_violation", "wrong_release", "target_not_live",
    }  # fmt: skip
    assert all(state.live or state.target_fault for state in run.services.values())


@given(runs)
def test_deterministic_and_stored(run: Evidence) -> None:
    """Evidence that was written and read again is the same, and so is the verdict, as often as it is asked for."""
    again = fold(json.loads(json.dumps(records(run), allow_nan=False)))
    assert again == run
    assert decide(again) == decide(run) == decide(run)


def test_another_policy() -> None:
    """Old evidence can be judged again under another policy."""
    run = evidence(failed())
    assert decide(run).action is Action.ROLLBACK
    assert decide(run, policy(critical="hold")).action is Action.HOLD


@pytest.mark.parametrize(("strategy", "action"), [(hopeful, Action.PROMOTE), (gloomy, Action.ROLLBACK)])
def test_the_properties_are_not_empty(strategy: st.SearchStrategy[Evidence], action: Action) -> None:
    """Among the evidence that the properties are tried on are passes and rollbacks."""
    assert find(
        strategy,
        lambda run: decide(run).action is action,
        settings=settings(max_examples=2000, phases=[Phase.generate]),
    )
