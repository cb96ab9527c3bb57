"""What fails at enough vantages has failed; what one sees is regional; a pass is proven from enough of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import (
    Baseline,
    Evidence,
    EvidenceError,
    Incident,
    ReleaseEvidence,
    Vantage,
    control_record,
    fold,
    service_record,
)
from postdeploy.domain.lock import Lock
from postdeploy.domain.merging import vantage_records
from postdeploy.domain.policy import Action, OnRegional, Policy, Quorum
from postdeploy.domain.quarantine import Quarantine
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.standing import State, listed, stand
from postdeploy.domain.suite import Suite
from postdeploy.domain.verdict import Conclusion, Reason, Verdict
from tests.domain.builders import (
    BEGIN,
    attempt,
    blocked,
    control,
    down,
    evidence,
    failed,
    incidents,
    passed,
    plan,
    policy,
    records,
    release,
    result,
    services,
    up,
)

_GONE = Incident("worker_lost", "the worker was lost")
_PLAIN = Policy()
_WARN = Policy(on_regional=OnRegional.WARN)


def _run(policy: Policy = _PLAIN, **vantages: Evidence | Incident) -> Evidence:
    """A run from vantages, each with the evidence of its run or the reason why it has none."""
    expected = next((each.release.expected for each in vantages.values() if isinstance(each, Evidence)), "r2")
    seen, lost = {}, {}
    for name, found in vantages.items():
        if isinstance(found, Incident):
            lost[name] = found
        else:
            told = replace(found, policy=policy, run={**found.run, "id": f"run-{name}", "vantage": name})
            begun, checks, *rest = records(told)
            suite = [{"record": "suite", "files": dict(told.suite.files)}] if told.suite else []
            lock = [{"record": "lock"} | asdict(told.lock)] if told.lock else []
            seen[name] = [begun, checks, *suite, *lock, *rest]
    about = {
        "run": {"id": "all", "started": BEGIN, "vantages": list(vantages)},
        "target": {"name": "staging", "services": {"web": "https://web.test", "api": "https://api.test"}},
        "policy": policy.to_json(),
        "expected": expected,
    }
    return fold(vantage_records(about, seen, lost, BEGIN + 20))


def _decided(policy: Policy = _PLAIN, **vantages: Evidence | Incident) -> Verdict:
    return decide(_run(policy, **vantages))


def _well(*names: str, **changes: Any) -> Evidence:
    return evidence(*map(passed, names or ("a", "b")), **changes)


def _ill(**changes: Any) -> Evidence:
    """Check b fails, and a passes."""
    return evidence(passed("a"), failed("b"), **changes)


def _told(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.conclusion.value, verdict.reason.value, verdict.action.value


_HELD = ("inconclusive", "required_check_not_proven", "hold")


@pytest.mark.parametrize(
    ("quorum", "pass_", "fail", "lost", "told"),
    [
        ("2 of 3", 3, 0, 0, ("pass", "all_required_passed", "promote")),
        ("2 of 3", 2, 0, 1, ("pass", "passed_with_warnings", "promote")),
        ("2 of 3", 1, 0, 2, ("inconclusive", "worker_lost", "hold")),
        ("2 of 3", 0, 0, 3, ("inconclusive", "worker_lost", "hold")),
        ("2 of 3", 2, 1, 0, _HELD),
        ("2 of 3", 1, 1, 1, _HELD),
        ("2 of 3", 0, 1, 2, _HELD),
        ("2 of 3", 1, 2, 0, ("fail", "confirmed_failure", "rollback")),
        ("2 of 3", 0, 2, 1, ("fail", "confirmed_failure", "rollback")),
        ("2 of 3", 0, 3, 0, ("fail", "confirmed_failure", "rollback")),
        ("1 of 3", 2, 1, 0, ("fail", "confirmed_failure", "rollback")),
        ("1 of 3", 2, 0, 1, ("inconclusive", "worker_lost", "hold")),
        ("1 of 3", 3, 0, 0, ("pass", "all_required_passed", "promote")),
        ("3 of 3", 1, 2, 0, _HELD),
        ("3 of 3", 2, 0, 1, ("inconclusive", "worker_lost", "hold")),
        ("2 of 5", 3, 0, 2, ("inconclusive", "worker_lost", "hold")),
        ("2 of 5", 4, 0, 1, ("pass", "passed_with_warnings", "promote")),
        ("1 of 1", 1, 0, 0, ("pass", "all_required_passed", "promote")),
    ],
)
def test_the_table(quorum: str, pass_: int, fail: int, lost: int, told: tuple[str, str, str]) -> None:
    """So many vantages at which all passes, at which one check fails, and from which nothing comes back."""
    found: list[Evidence | Incident] = [*[_well()] * pass_, *[_ill()] * fail, *[_GONE] * lost]
    for order in (found, found[::-1]):
        vantages = {f"v{number}": each for number, each in enumerate(order)}
        assert _told(_decided(Policy(quorum=Quorum.parse(quorum)), **vantages)) == told


def test_more_than_half_unless_the_policy_says_otherwise() -> None:
    """Two of three, three of four."""
    assert _decided(a=_ill(), b=_ill(), c=_well()).conclusion is Conclusion.FAIL
    assert _decided(a=_ill(), b=_ill(), c=_well(), d=_well()).conclusion is Conclusion.INCONCLUSIVE


def test_different_checks_at_different_vantages_are_no_failure() -> None:
    """Each is regional; nothing passes, for neither vantage has complete evidence."""
    one = evidence(failed("a"), passed("b"))
    verdict = _decided(_WARN, eu=one, us=_ill(), ap=_well())
    assert _told(verdict) == _HELD
    assert verdict.summary.startswith("1 of 3 vantages passed and 2 are needed; eu: 1 check failed")


def test_a_regional_failure_names_its_vantage() -> None:
    """It holds, or it is a warning on a pass where the policy says so."""
    verdict = _decided(eu=_well(), us=_well(), ap=_ill())
    assert verdict.summary == "b failed at ap only; it takes 2 of 3 vantages"
    run = _run(eu=_well(), us=_well(), ap=_ill())
    assert run.results["b"].outcome is Outcome.ERRORED
    assert run.results["b"].reason == "failed at ap only: at 2 of 3 vantages it would have failed"

    verdict = _decided(_WARN, eu=_well(), us=_well(), ap=_ill())
    assert _told(verdict) == ("pass", "passed_with_warnings", "promote")
    assert verdict.warnings == ("regional: b failed at ap only; it takes 2 of 3 vantages",)
    assert verdict.summary == "2 of 2 checks passed at eu and us, 1 warning"


def test_regional_failures_of_minor_checks_only_warn() -> None:
    """As they do everywhere."""
    checks = {"plan": (plan("a"), plan("b", "minor"))}
    verdict = _decided(eu=_well(**checks), us=_well(**checks), ap=_ill(**checks))
    assert verdict.conclusion is Conclusion.PASS
    assert "regional: b failed at ap only; it takes 2 of 3 vantages" in verdict.warnings
    assert "minor: b failed (at ap)" in verdict.warnings
    verdict = _decided(eu=_well(**checks), us=_ill(**checks), ap=_ill(**checks))
    assert verdict.conclusion is Conclusion.PASS


def test_a_pass_in_one_sentence() -> None:
    """How many checks passed and where, and how much there is to know besides; its warnings keep their causes."""
    assert _decided(eu=_well(), us=_well()).summary == "2 of 2 checks passed at eu and us"
    checks = {"plan": (plan("a"), plan("b", "minor"))}
    verdict = _decided(eu=_ill(**checks), us=_ill(**checks), ap=_GONE)
    assert verdict.summary == "1 of 2 checks passed at eu and us, 2 warnings"
    assert [cause.checks for cause in verdict.causes] == [("b",)]
    assert _decided(eu=_ill(**checks), us=_ill(**checks)).warnings == ("minor: b failed",)


def test_a_failure_names_its_vantages_and_its_cause() -> None:
    """Once, although it was seen twice."""
    verdict = _decided(eu=_ill(), us=_well(), ap=_ill())
    assert verdict.summary.endswith("(at eu and ap)")
    assert [cause.checks for cause in verdict.causes] == [("b",)]


def test_a_service_that_is_down_for_enough() -> None:
    """One cause; for one vantage alone it is regional."""
    gone = evidence(blocked("a"), blocked("b"), services=services(down("web"), up("api")))
    verdict = _decided(eu=gone, us=gone, ap=_well())
    assert (verdict.conclusion, verdict.action, len(verdict.causes)) == (Conclusion.FAIL, Action.ROLLBACK, 1)
    assert _run(eu=gone, us=gone, ap=_well()).services["web"].live is False
    other = replace(gone, services=services(down("web", "connect_timeout"), up("api")))
    assert _run(eu=gone, us=other, ap=_well()).services["web"].code == "connection_refused"
    assert _run(eu=gone, us=_GONE, ap=_GONE).services["web"].live is False
    assert _told(_decided(eu=gone, us=_well(), ap=_well())) == _HELD
    assert _run(eu=gone, us=_well(), ap=_well()).services["web"].live is True


def test_what_was_broken_before() -> None:
    """It rolls back only if enough vantages say that this release broke it."""
    before = Baseline("r1", {"b": Outcome.FAILED}, "history")
    well = Baseline("r1", {"b": Outcome.PASSED}, "history")
    told = {known: _ill(baseline=known) for known in (None,)}
    assert _told(_decided(eu=_ill(baseline=before), us=_ill(baseline=before), ap=_well())) == (
        "fail", "already_broken", "hold",
    )  # fmt: skip
    assert _told(_decided(eu=_ill(baseline=well), us=_ill(baseline=well), ap=_well())) == (
        "fail", "newly_broken", "rollback",
    )  # fmt: skip
    mixed = _decided(eu=_ill(baseline=before), us=told[None], ap=_well())
    assert _told(mixed) == ("fail", "confirmed_failure", "hold")
    assert _told(_decided(eu=_ill(baseline=before), us=_ill(), ap=_ill())) == ("fail", "confirmed_failure", "rollback")


def test_a_check_that_may_not_be_repeated_holds() -> None:
    """One failing attempt at each vantage: a failure, and no rollback."""
    once = {"plan": (plan("a"), plan("b", may_repeat=False))}
    ill = evidence(passed("a"), result("b", "failed"), **once)
    assert _told(_decided(eu=ill, us=ill, ap=_well(**once))) == ("fail", "confirmed_failure", "hold")


def test_whatever_it_is_its_causes_and_warnings_are_told() -> None:
    """Also of a run that is in doubt as a whole, of one that failed, and of one that proves too little."""
    lost = "vantage ap: the worker was lost"
    odd = _well(incidents=incidents("safety_violation"))
    for run, warnings in (
        (_run(eu=_ill(), us=_ill(), ap=odd), ("vantage ap: safety_violation happened",)),
        (_run(eu=_ill(), us=_ill(), ap=_GONE), (lost,)),
        (_run(Policy(quorum=Quorum(1, 3)), eu=_ill(), us=_GONE, ap=_GONE), ("vantage us: the worker was lost", lost)),
    ):
        verdict = decide(run)
        assert ([cause.checks for cause in verdict.causes], verdict.warnings) == ([("b",)], warnings)
    once = evidence(passed("a"), result("b", "failed"))
    verdict = _decided(eu=once, us=once, ap=_GONE)
    assert verdict.conclusion is Conclusion.INCONCLUSIVE
    assert [text for text in verdict.warnings if text == lost] == [lost]


# A vantage that cannot tell.


@pytest.mark.parametrize(
    ("sick", "reason"),
    [
        ({"incidents": incidents("runner_fault")}, "runner_fault"),
        ({"incidents": incidents("secret_missing")}, "secret_missing"),
        ({"services": services(down("web", "no_route", target_fault=False))}, "runner_fault"),
        ({"plan": (), "results": {}, "incidents": incidents("deadline_exceeded")}, "deadline_exceeded"),
        ({"plan": (), "results": {}}, "nothing_selected"),
    ],
)
def test_its_trouble_is_its_own(sick: Mapping[str, Any], reason: str) -> None:
    """Two others are enough for either verdict; what fails there counts for nothing."""
    ap = evidence(failed("a"), failed("b"), **sick)
    verdict = _decided(eu=_well(), us=_well(), ap=ap)
    assert verdict.conclusion is Conclusion.PASS
    assert any(warning.startswith("vantage ap: ") for warning in verdict.warnings)
    assert _decided(eu=_ill(), us=_well(), ap=ap).conclusion is Conclusion.INCONCLUSIVE
    assert _told(_decided(eu=_well(), us=ap, ap=ap))[:2] == ("inconclusive", reason)


def test_a_vantage_without_any_check() -> None:
    """It says so, where nothing else that happened explains it."""
    verdict = _decided(eu=_well(), us=_well(), ap=evidence())
    assert verdict.warnings == ("vantage ap: no check was there",)


def test_names_are_listed_as_people_do() -> None:
    """With commas, and the last one with a word."""
    assert [listed(["eu"]), listed(["eu", "us"]), listed(["eu", "us", "ap"])] == ["eu", "eu and us", "eu, us and ap"]


def test_a_run_that_is_incomplete_is_no_pass() -> None:
    """Nothing is wrong with the vantage, but not all of its checks came to an end."""
    part = evidence(passed("a"), CheckResult("b", Outcome.NOT_RUN, reason="the time was over"))
    assert _told(_decided(eu=_well(), us=part, ap=part)) == _HELD
    verdict = _decided(eu=_well(), us=_well(), ap=part)
    assert verdict.warnings == ("vantage ap: b: not run, the time was over",)


def test_a_target_that_one_vantage_does_not_reach_at_all() -> None:
    """It may be the network there: nothing answered, so it cannot tell."""
    silent = evidence(
        blocked("a"), blocked("b"), services=services(down("web", "connect_timeout")), release=ReleaseEvidence("r2")
    )
    assert _decided(eu=_well(), us=_well(), ap=silent).conclusion is Conclusion.PASS


# Doubts that are about all of them.


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ({"release": release(live=False, counts={"web": {"r1": 9}}, problem="r1 answers")}, "target_not_live"),
        ({"release": release(live=False, first={"web": "r1"}, last={}, counts={})}, "wrong_release"),
        ({"release": release(last={"web": "r3"})}, "release_changed"),
        ({"incidents": incidents("safety_violation")}, "safety_violation"),
    ],
)
def test_what_one_vantage_saw_is_so_for_all(seen: Mapping[str, Any], reason: str) -> None:
    """Another release, or something that must not be: two others do not outvote it, not even with a failure."""
    odd = _well(**seen)
    verdict = _decided(eu=_well(), us=_well(), ap=odd)
    assert _told(verdict) == ("inconclusive", reason, "hold")
    assert verdict.summary.startswith("ap: ")
    assert _decided(eu=_ill(), us=_ill(), ap=odd).conclusion is Conclusion.INCONCLUSIVE


def test_vantages_that_saw_different_releases() -> None:
    """One of them was verified half."""
    one = _well(release=release(expected=None))
    results = {name: CheckResult(name, Outcome.PASSED, (replace(attempt(), releases=("r3",)),)) for name in "ab"}
    other = _well(results=results, release=release(expected=None, first={"web": "r3"}, last={"web": "r3"}))
    verdict = decide(_run(eu=one, us=one, ap=other))
    assert _told(verdict) == ("inconclusive", "release_changed", "hold")
    assert verdict.summary == "service web answered eu as r2 and ap as r3"


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        (
            {"target": {"name": "staging", "services": {"web": "https://other.test"}}},
            "config_error",
            "ap verified another target than the run",
        ),
        (
            {"plan": (plan("a"), plan("b"), plan("c"))},
            "internal_error",
            "ap verified other checks than the run, such as c",
        ),
    ],
    ids=["target", "plan"],
)
def test_runs_of_different_things(changes: Mapping[str, Any], reason: str, words: str) -> None:
    """Another configuration or suite at one vantage."""
    verdict = _decided(eu=_well(), us=_well(), ap=_well(**changes))
    assert (*_told(verdict)[:2], verdict.summary) == ("inconclusive", reason, words)


def test_a_quorum_of_another_number() -> None:
    """Nobody knows what it would mean."""
    verdict = _decided(Policy(quorum=Quorum(2, 3)), eu=_well(), us=_well())
    assert _told(verdict)[1] == "config_error"
    assert verdict.summary == "the quorum is 2 of 3, and the run has 2 vantages"


def test_other_vantages_than_the_policy_names() -> None:
    """The run was made from elsewhere."""
    verdict = _decided(Policy(vantages=("eu", "us")), eu=_well(), ap=_well())
    assert verdict.summary == "the policy asks for eu and us, the run was from eu and ap"
    assert _decided(Policy(vantages=("us", "eu")), eu=_well(), us=_well()).conclusion is Conclusion.PASS


# Checks that run at some vantages only.


def _pinned(*outcomes: CheckResult, at: tuple[str, ...] = ("ap",), severity: str = "critical") -> Evidence:
    skipped = CheckResult("b", Outcome.SKIPPED, reason="it runs elsewhere", by_policy=True)
    results = (passed("a"), *(outcomes or (skipped,)))
    status = {"pytest_exit": 0} if not outcomes else {}
    return evidence(*results, plan=(plan("a"), plan("b", severity, vantages=at)), **status)


def test_a_check_of_one_vantage_needs_that_one() -> None:
    """It fails there, passes there, and is not proven without it."""
    eu = us = _pinned()
    assert _decided(eu=eu, us=us, ap=_pinned(passed("b"))).reason is Reason.ALL_REQUIRED_PASSED
    assert _decided(eu=eu, us=us, ap=_pinned(failed("b"))).action is Action.ROLLBACK
    verdict = _decided(eu=eu, us=us, ap=_GONE)
    assert _told(verdict) == _HELD
    assert verdict.summary == "b runs at ap, where nothing is proven"
    run = _run(eu=eu, us=us, ap=_GONE)
    assert run.results["b"] == CheckResult("b", Outcome.NOT_RUN, reason="nothing came back from ap")
    assert stand(run, run.policy)[2].result(run.plan[1]) == CheckResult("b", Outcome.NOT_RUN)


def test_a_check_of_no_vantage_that_is_there() -> None:
    """It would be forgotten; a minor one is."""
    eu = us = _pinned(at=("mars",))
    verdict = _decided(eu=eu, us=us)
    assert _told(verdict)[1] == "required_check_missing"
    assert verdict.summary == "b runs at mars, and this run has no such vantage"
    assert _run(eu=eu, us=us).results["b"] == CheckResult("b", Outcome.NOT_RUN, reason="this run has no vantage mars")
    eu = us = _pinned(at=("mars",), severity="minor")
    assert _decided(eu=eu, us=us).conclusion is Conclusion.PASS


def test_the_quorum_of_a_part() -> None:
    """The same share of the vantages, rounded up."""
    rules = {(number, of): str(Quorum(2, 3).among(number)) for number, of in ((1, 3), (2, 3), (3, 3))}
    assert list(rules.values()) == ["1 of 1", "2 of 2", "2 of 3"]
    at = ("us", "ap")
    away, ill = _pinned(at=at), _pinned(failed("b"), at=at)
    assert _decided(eu=away, us=ill, ap=ill).action is Action.ROLLBACK
    assert _told(_decided(eu=away, us=ill, ap=_pinned(passed("b"), at=at))) == _HELD


# One result for each check.


def test_evidence_of_each_vantage_has_a_folder() -> None:
    """Files of two machines may have one name."""
    seen = CheckResult("a", Outcome.PASSED, (replace(attempt(), evidence=("evidence/a.png",)),))
    run = _run(eu=_well(results={"a": seen, "b": passed("b")}), us=_well())
    assert run.results["a"].attempts[0].evidence == ("eu/evidence/a.png",)


def test_a_check_that_too_few_could_tell_of() -> None:
    """Nothing came back from the others, or what came back tells nothing."""
    run = _run(eu=_well(), us=_GONE, ap=_GONE)
    assert run.results["a"].outcome is Outcome.ERRORED
    assert run.results["a"].reason == "passed at eu only: 2 of 3 vantages are needed"
    sick = evidence(passed("a"), failed("b"), incidents=incidents("runner_fault"))
    run = _run(eu=_GONE, us=sick, ap=sick)
    assert run.results["a"].reason == run.results["b"].reason == "us could not tell: runner_fault happened"
    assert {each.outcome for each in run.results.values()} == {Outcome.ERRORED}


def test_a_failure_that_was_not_confirmed() -> None:
    """One attempt is not enough at a vantage, however many have one."""
    once = evidence(passed("a"), result("b", "failed"))
    run = _run(eu=once, us=once, ap=_well())
    assert run.results["b"].reason == "eu could not tell: it was not confirmed"
    assert run.results["b"].outcome is Outcome.ERRORED
    assert decide(run).conclusion is Conclusion.INCONCLUSIVE


def test_what_says_most_of_a_check_is_shown() -> None:
    """A failure, even one that was seen once only, says more than that a check was not run elsewhere."""
    once = evidence(passed("a"), result("b", "failed"))
    idle = evidence(passed("a"), CheckResult("b", Outcome.NOT_RUN, reason="the time was over"))
    run = _run(eu=idle, us=once, ap=_well())
    assert run.results["b"].reason == "us could not tell: it was not confirmed"


def test_a_check_in_quarantine() -> None:
    """It failed, it is shown to have failed, and it does not count."""
    kept = {"plan": (plan("a"), plan("b", quarantine=Quarantine("web", "2030-01-01", "#1")))}
    run = _run(eu=_ill(**kept), us=_ill(**kept), ap=_ill(**kept))
    assert run.results["b"].outcome is Outcome.FAILED
    assert _told(decide(run)) == ("pass", "passed_with_warnings", "promote")


def test_a_check_that_is_skipped_everywhere() -> None:
    """By the policy of the target: it is no question of vantages."""
    skipped = CheckResult("b", Outcome.SKIPPED, reason="the target is read-only", by_policy=True)
    run = _run(eu=evidence(passed("a"), skipped, pytest_exit=0), us=evidence(passed("a"), skipped, pytest_exit=0))
    assert run.results["b"].outcome is Outcome.SKIPPED
    assert decide(run).conclusion is Conclusion.PASS


def test_what_is_brought_together() -> None:
    """Traffic, control probes, incidents, narrowing: of each vantage."""
    eu = _well(budget={"requests": 3}, control=(control(),), narrowed_by=("-k a",))
    us = _well(budget={"requests": 4}, incidents=incidents("interrupted"))
    run = _run(eu=eu, us=us)
    assert run.budget == {"requests": 7}
    assert len(run.control) == 1
    assert run.narrowed_by == ("-k a",)
    assert run.incidents == (Incident("interrupted", "us: interrupted happened"),)
    assert run.finished_at == BEGIN + 20


def test_what_all_were_told_alike() -> None:
    """Suite, lock and baseline of the vantages are those of the whole."""
    told: dict[str, Any] = {
        "suite": Suite({"suites/a.yaml": "sha256:1"}),
        "lock": Lock("postdeploy.lock", ("a", "b")),
        "baseline": Baseline("r1", {"b": Outcome.PASSED}, "history"),
    }
    run = _run(eu=_well(**told), us=_well(**told))
    assert {name: getattr(run, name) for name in told} == told
    assert (run.release.first, run.release.counts, run.pytest_exit) == ({"web": "r2"}, {"web": {"r2": 10}}, 0)
    assert _run(eu=_well(**told), us=_ill(**told)).pytest_exit == 1
    assert decide(run).reason is Reason.ALL_REQUIRED_PASSED


def test_the_document() -> None:
    """Each vantage with its own verdict, each check with its outcome at each; it follows from the journal."""
    run = _run(eu=_ill(), us=_well(), ap=_GONE)
    document = verdict_document(run, decide(run), proof={}, exporters={})
    assert document["quorum"] == {"failing": 2, "passing": 2, "of": 3}
    told = [(each["name"], each["state"], each["verdict"], each["reason"]) for each in document["vantages"]]
    assert told == [
        ("eu", "answered", "fail", "confirmed_failure"),
        ("us", "answered", "pass", "all_required_passed"),
        ("ap", "lost", "inconclusive", "worker_lost"),
    ]
    assert document["vantages"][0]["run"]["id"] == "run-eu"
    assert document["checks"][1]["outcomes"] == {"eu": "failed", "us": "passed", "ap": None}


def test_a_doubtful_vantage_in_the_document() -> None:
    """It came back, and cannot tell."""
    run = _run(eu=_well(), us=_well(), ap=_well(incidents=incidents("runner_fault")))
    document = verdict_document(run, decide(run), proof={}, exporters={})
    assert [each["state"] for each in document["vantages"]] == ["answered", "answered", "doubtful"]


def test_judged_again_under_another_quorum() -> None:
    """The journal holds what every vantage saw, so another rule can be tried on it."""
    run = _run(eu=_ill(), us=_well(), ap=_well())
    assert decide(run).conclusion is Conclusion.INCONCLUSIVE
    assert decide(run, Policy(quorum=Quorum(1, 3))).action is Action.ROLLBACK
    assert decide(run, _WARN).conclusion is Conclusion.PASS
    assert decide(run, replace(policy(critical="hold"), quorum=Quorum(1, 3))).action is Action.HOLD


def test_a_vantage_that_nothing_or_too_much_is_said_of() -> None:
    """It is lost, whatever it may have seen, and whether or not anybody knows why."""
    run = _run(Policy(quorum=Quorum(3, 3)), eu=_well(), us=_well(), ap=_well())
    seen = run.vantages[2].evidence
    for ap, doubt in (
        (Vantage("ap"), (Reason.INCOMPLETE, "nothing came back")),
        (Vantage("ap", seen, _GONE), (Reason.WORKER_LOST, _GONE.message)),
    ):
        odd = replace(run, vantages=(*run.vantages[:2], ap))
        lost = stand(odd, odd.policy)[2]
        assert (lost.state, lost.evidence, lost.doubt, lost.failing) == (State.LOST, None, doubt, {})
        assert _told(decide(odd)) == ("inconclusive", doubt[0].value, "hold")


def test_nothing_came_back_from_anywhere() -> None:
    """Nothing is known, and nothing passes."""
    verdict = _decided(eu=_GONE, us=Incident("deadline_exceeded", "it took too long"))
    assert _told(verdict) == ("inconclusive", "worker_lost", "hold")
    assert verdict.warnings == ("vantage eu: the worker was lost", "vantage us: it took too long")
    assert _run(eu=_GONE).pytest_exit == 0


# Records that cannot be a run of several vantages.


def _records(**changes: Any) -> list[dict[str, Any]]:
    about = {
        "run": {"id": "all", "started": BEGIN, "vantages": ["eu", "us"]},
        "target": {"name": "staging"}, "policy": Policy().to_json(), "expected": "r2",
    }  # fmt: skip
    facts: dict[str, Any] = {"about": about, "seen": {"eu": _seen_at("eu")}, "lost": {"us": _GONE}, "at": BEGIN}
    return vantage_records(**facts | changes)


def _seen_at(vantage: str) -> list[dict[str, Any]]:
    run = {"id": "1", "started": BEGIN, "vantage": vantage}
    return records(replace(_well(), run=run, target={"name": "staging"}))


def test_a_run_that_was_begun_for_another_release() -> None:
    """What its vantages verified is not what was asked."""
    begun, *rest = _records(lost={}, seen={name: _seen_at(name) for name in ("eu", "us")})
    assert decide(fold([begun, *rest])).conclusion is Conclusion.PASS
    verdict = decide(fold([{**begun, "expected": "r3"}, *rest]))
    assert (*_told(verdict)[:2], verdict.summary) == (
        "inconclusive", "config_error", "eu verified another release than the run",
    )  # fmt: skip


def test_records_that_are_a_run() -> None:
    """As a base for the next test."""
    assert [vantage.name for vantage in fold(_records()).vantages] == ["eu", "us"]


_NAMES = "the run names other vantages than those it has something of"
_EITHER = "vantage {} has either seen something or is lost, for one reason"
_NO_RUN = "what vantage eu saw is not a run that ended there"
_ALONE = "a run of several vantages has seen nothing by itself"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lost": {}}, _EITHER.format("us")),
        ({"lost": {"us": _GONE, "eu": _GONE}}, _EITHER.format("eu")),
        ({"lost": {"us": _GONE, "ap": _GONE}}, _NAMES),
        ({"lost": {"us": Incident("sunday", "no word of the list")}}, "'sunday' is not a valid Reason"),
        ({"seen": {"eu": records(_well())}}, _NO_RUN),
        ({"seen": {"eu": records(replace(_well(), run={"id": "1", "started": 1.0, "vantage": "us"}))}}, _NO_RUN),
        (
            {"seen": {"eu": records(replace(_well(), finished=False, run={**_well().run, "vantage": "eu"}))}},
            _NO_RUN,
        ),
        ({"seen": {"eu": _records()}}, _NO_RUN),
    ],
    ids=["missing", "both", "foreign", "reason", "nowhere", "elsewhere", "unfinished", "nested"],
)
def test_records_that_cannot_be(changes: Mapping[str, Any], words: str) -> None:
    """Each vantage is there once: with a run that ended there, or lost for a reason of the closed list."""
    with pytest.raises(EvidenceError) as caught:
        fold(_records(**changes))
    assert str(caught.value).endswith(f"ValueError({words!r})")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"record": "incident", "reason": "interrupted", "message": "x"}, _ALONE),
        ({"record": "lost", "vantage": "us", "reason": "worker_lost", "message": "again"}, _EITHER.format("us")),
        ({"record": "plan", "checks": [plan("a").to_json()], "narrowed_by": []}, _ALONE),
        ({"record": "result", "result": passed("a").to_json()}, _ALONE),
        (service_record(up("web")), _ALONE),
        (control_record(control()), _ALONE),
    ],
    ids=["incident", "twice", "plan", "result", "service", "control"],
)
def test_it_saw_nothing_by_itself(record: Mapping[str, Any], words: str) -> None:
    """Only vantages see; and each is lost once."""
    *begun, end = _records()
    with pytest.raises(EvidenceError) as caught:
        fold([*begun, record, end])
    assert str(caught.value).endswith(f"ValueError({words!r})")


def test_a_run_that_names_no_vantages() -> None:
    """It cannot have seen anything from one."""
    told = records(_well())
    for strange in (
        {"record": "lost", "vantage": "us", "reason": "worker_lost", "message": "x"},
        {"record": "seen", "vantage": "us", "of": told[0]},
    ):
        with pytest.raises(EvidenceError, match="'a run of no vantages has records of some'"):
            fold([*told[:-1], strange, told[-1]])
    about = {"run": {"id": "all", "started": BEGIN, "vantages": []}, "target": {"name": "staging"},
             "policy": Policy().to_json(), "expected": "r2"}  # fmt: skip
    with pytest.raises(EvidenceError, match=f"'{_NAMES}'"):
        fold(_records(about=about, seen={}, lost={}))
