"""Evidence of several machines is judged as that of one, and whatever does not fit together is never a pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import Baseline, Evidence, ReleaseEvidence, fold
from postdeploy.domain.lock import Lock
from postdeploy.domain.merging import merged_records
from postdeploy.domain.parts import Part
from postdeploy.domain.policy import Action, Policy
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.shard import Dealing, Shard
from postdeploy.domain.suite import Suite
from postdeploy.domain.verdict import Conclusion, Reason
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
    release,
    services,
    unheard,
    up,
)

_PLAN = tuple(plan(name) for name in "abcd")


def _part(index: int, *results: CheckResult, of: int = 2, **changes: Any) -> Part:
    shard = Shard(index, of)
    facts: dict[str, Any] = {"plan": _PLAN, "narrowed_by": (shard.narrowing,)} | changes
    return Part(f"shard-{index}-of-{of}", shard, evidence(*results, **facts))


def _first(**changes: Any) -> Part:
    return _part(1, passed("a"), passed("c"), **changes)


def _second(**changes: Any) -> Part:
    return _part(2, passed("b"), passed("d"), **changes)


def _merged(*parts: Part, problems: tuple[str, ...] = ()) -> Evidence:
    return fold(merged_records(parts, {"id": "merged"}, problems))


def _told(*parts: Part) -> tuple[str, str]:
    verdict = decide(_merged(*parts))
    assert verdict.conclusion is Conclusion.INCONCLUSIVE
    return verdict.reason.value, verdict.summary


def test_all_parts_make_a_pass() -> None:
    """Complete, of one release, on one target; in whichever order."""
    for parts in ((_first(), _second()), (_second(), _first())):
        run = _merged(*parts)
        verdict = decide(run)
        assert (verdict.conclusion, verdict.reason) == (Conclusion.PASS, Reason.ALL_REQUIRED_PASSED)
        document = verdict_document(run, verdict, proof={}, exporters={})
        assert [check["outcome"] for check in document["checks"]] == ["passed"] * 4
        assert [each["shard"] for each in document["run"]["shards"]] == ["1/2", "2/2"]
        assert document["narrowed_by"] == []


def test_a_part_alone_is_no_pass() -> None:
    """Not by itself, and not when it is merged with nothing."""
    assert decide(_first().evidence).reason is Reason.SUITE_NARROWED
    assert _told(_first()) == ("incomplete", "shard 2/2 is missing")


def test_one_failure_is_enough() -> None:
    """Also where other parts are missing."""
    verdict = decide(_merged(_part(2, failed("b"), passed("d"))))
    assert (verdict.conclusion, verdict.action) == (Conclusion.FAIL, Action.ROLLBACK)


def test_a_part_that_proves_nothing() -> None:
    """It is told of, and nothing passes."""
    verdict = decide(_merged(_first(), _second(), problems=("folder x proves nothing: empty",)))
    assert (verdict.reason, verdict.summary) == (Reason.INCOMPLETE, "folder x proves nothing: empty")


def test_a_part_that_is_there_twice() -> None:
    """Nobody knows which of the two counts."""
    again = replace(_first(), place="again")
    assert _told(_first(), again, _second()) == ("incomplete", "shard 1/2 is there more than once")


def test_parts_of_different_counts() -> None:
    """They were dealt out differently."""
    assert _told(_first(), _part(2, passed("b"), passed("d"), of=3)) == ("incomplete", "the shards are of 2 and of 3")


def test_a_run_that_was_not_dealt_out() -> None:
    """A whole run has a verdict of its own."""
    whole = Part("whole", None, evidence(*map(passed, "abcd")))
    assert _told(_first(), whole)[1] == "whole is no shard: its run was not given --shard"
    assert [each["shard"] for each in _merged(_first(), whole).run["shards"]] == [None, "1/2"]


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"target": {"name": "staging", "services": {"web": "https://other.test"}}}, "config_error", "another target"),
        ({"policy": Policy(flaky=7)}, "config_error", "under another policy"),
        ({"release": release(expected="r3")}, "config_error", "another release"),
        ({"lock": Lock("postdeploy.lock", ("a",))}, "config_error", "under another lock"),
        ({"plan": (*_PLAN, plan("e"))}, "internal_error", "other checks than shard 1/2, such as e"),
        ({"suite": Suite({"suites/a.yaml": "sha256:1"})}, "internal_error", "checks from other files"),
        ({"run": {"id": "2", "started": BEGIN, "plugins": {"x": "1"}}}, "internal_error", "with other plugins"),
    ],
)  # fmt: skip
def test_parts_of_different_runs(changes: dict[str, Any], reason: str, words: str) -> None:
    """Another configuration, release or suite on one machine: nothing passes, and the difference is named."""
    run = _merged(_first(), _second(**changes))
    verdict = decide(run)
    assert (verdict.conclusion, verdict.reason.value) == (Conclusion.INCONCLUSIVE, reason)
    assert any(f"shard 2/2 verified {words}" in incident.message for incident in run.incidents)


def test_every_kind_of_difference_is_told_once() -> None:
    """However many parts have it, and whatever else is different."""
    other = {"target": {"name": "staging", "services": {"web": "https://other.test"}}, "policy": Policy(flaky=7)}
    parts = (_part(1, passed("a"), of=3), _part(2, passed("b"), of=3, **other), _part(3, passed("c"), of=3, **other))
    told = [incident.message for incident in _merged(*parts).incidents]
    assert told == [
        "shard 2/3 verified another target than shard 1/3",
        "shard 2/3 verified under another policy than shard 1/3",
    ]


def test_the_place_of_a_targets_file_is_no_difference() -> None:
    """It lies elsewhere on every machine; what stands in it is the same."""
    targets = [
        {"name": "staging", "services": {}, "config": {"file": f"/{place}/targets.yaml", "digest": "d"}}
        for place in "ab"
    ]
    parts = (_first(target=targets[0]), _second(target=targets[1]))
    assert decide(_merged(*parts)).conclusion is Conclusion.PASS
    other = {**targets[1], "config": {"file": "/a/targets.yaml", "digest": "e"}}
    told = "shard 2/2 verified another target than shard 1/2"
    assert _told(_first(target=targets[0]), _second(target=other)) == ("config_error", told)


def test_machines_that_saw_different_releases() -> None:
    """One of them was verified half."""
    other = release(expected=None, first={"web": "r3"}, last={"web": "r3"})
    assert _told(_first(release=release(expected=None)), _second(release=other))[0] == "release_changed"


def test_services_of_different_releases() -> None:
    """Each is compared with itself only."""
    seen = {"web": "r2", "api": "r7"}
    both = release(expected=None, first=seen, last=seen)
    assert decide(_merged(_first(release=both), _second(release=both))).reason is Reason.ALL_REQUIRED_PASSED


@pytest.mark.parametrize(
    ("last", "reason"),
    [({"web": "r3"}, "release_changed"), ({"web": "?"}, "incomplete"), ({}, "incomplete")],
    ids=["other", "silent", "nothing"],
)
def test_what_one_machine_saw_at_its_end(last: dict[str, str], reason: str) -> None:
    """Another release, or silence, is seen by all."""
    assert _told(_first(), _second(release=release(last=last)))[0] == reason


def test_a_release_that_nobody_waited_for() -> None:
    """It is not live because nobody said that it is not."""
    unseen = ReleaseEvidence("r2")
    assert _merged(_first(release=unseen), _second(release=unseen)).release.live is None
    assert _told(_first(release=unseen), _second(release=unseen))[0] == "target_not_live"


def test_a_release_that_did_not_come_for_one() -> None:
    """What one machine waited for in vain is not live."""
    late = release(live=False, problem="it did not come")
    assert _told(_first(), _second(release=late)) == ("target_not_live", "it did not come")


def test_a_service_that_one_machine_does_not_reach() -> None:
    """It is not known to be down."""
    away = _part(2, blocked("b"), blocked("d"), services=services(down("web"), up("api")))
    reason, text = _told(_first(), away)
    assert reason == "incomplete"
    assert text == "service web was there for shard 1/2 and not for shard 2/2: connection_refused (web)"


@pytest.mark.parametrize("order", [1, -1], ids=["last", "first"])
def test_a_service_that_answers_one_machine_wrongly(order: int) -> None:
    """It went down after another machine had ended: a wrong answer is no fault of any network, so it is a failure."""
    broken = _part(2, blocked("b"), blocked("d"), services=services(down("web", "http_503"), up("api")))
    verdict = decide(_merged(*(_first(), broken)[::order]))
    assert (verdict.conclusion, verdict.action) == (Conclusion.FAIL, Action.ROLLBACK)
    assert [cause.checks for cause in verdict.causes] == [("b", "d")]


def test_a_service_that_answers_wrongly_and_is_silent_elsewhere() -> None:
    """That one machine does not reach it changes nothing about the answer that another one had."""
    first = _part(1, passed("a"), of=3)
    second = _part(2, blocked("b"), blocked("d"), of=3, services=services(down("web", "http_503"), up("api")))
    third = _part(3, blocked("c"), of=3, services=services(down("web"), up("api")))
    merged = _merged(first, second, third)
    assert decide(merged).conclusion is Conclusion.FAIL
    assert any("not for shard 3/3" in incident.message for incident in merged.incidents)


def test_a_service_that_one_asked_once() -> None:
    """The machine that asked most often counts, and one look is no confirmation."""
    once = services(down("web", "http_503", attempts=1), up("api"))
    hasty = _part(2, blocked("b"), blocked("d"), services=once)
    assert decide(_merged(_first(), hasty)).conclusion is Conclusion.INCONCLUSIVE
    assert _merged(_first(), hasty).services["web"].code == "http_503"
    sure = _part(1, blocked("a"), blocked("c"), services=services(down("web", "http_502"), up("api")))
    assert decide(_merged(sure, hasty)).conclusion is Conclusion.FAIL


def test_a_service_that_no_machine_reaches() -> None:
    """It is down: one cause."""
    parts = [
        _part(1, blocked("a"), blocked("c"), services=services(down("web"), up("api"))),
        _part(2, blocked("b"), blocked("d"), services=services(down("web"), up("api"))),
    ]
    verdict = decide(_merged(*parts))
    assert (verdict.conclusion, verdict.action, len(verdict.causes)) == (Conclusion.FAIL, Action.ROLLBACK, 1)


def test_a_sick_machine_among_well_ones() -> None:
    """What answers another machine does not prove that this one could have heard it."""
    silent = tuple(unheard("connect_timeout", at) for at in (0.0, 5.0))
    lost = [CheckResult(name, silent[0].outcome, silent) for name in "bd"]
    unseen = ReleaseEvidence()
    verdict = decide(_merged(_first(release=unseen), _part(2, *lost, release=unseen)))
    assert verdict.conclusion is Conclusion.INCONCLUSIVE
    assert "shard 2/2 could not tell" in verdict.summary


_BLIND = [ReleaseEvidence("r2"), ReleaseEvidence("r2", live=True)]


@pytest.mark.parametrize("blind", _BLIND, ids=["never waited", "never saw"])
def test_a_machine_that_saw_no_release(blind: ReleaseEvidence) -> None:
    """What others saw of the release is no proof of what answered this one: it neither passes nor fails anything."""
    told = "shard 2/2 asked the target without having seen that it answers as r2"
    assert _told(_first(), _second(release=blind)) == ("incomplete", told)
    run = _merged(_first(), _part(2, failed("b"), failed("d"), release=blind))
    assert decide(run).conclusion is Conclusion.INCONCLUSIVE
    assert run.results["b"].reason == "shard 2/2 could not tell which release it was that failed"


@pytest.mark.parametrize("blind", _BLIND, ids=["never waited", "never saw"])
def test_a_machine_that_had_nothing_to_ask(blind: ReleaseEvidence) -> None:
    """It need not have seen the release."""
    verdict = decide(_merged(_part(1, *map(passed, "abcd")), _part(2, release=blind, pytest_exit=5)))
    assert verdict.reason is Reason.ALL_REQUIRED_PASSED


def test_a_machine_that_did_not_finish() -> None:
    """The end of another one is not its own."""
    cut = _second(finished=False, finished_at=None, pytest_exit=None)
    assert _told(_first(), cut) == ("incomplete", "shard 2/2 did not finish")
    assert _merged(cut).finished_at == 0.0


def test_incidents_name_their_machine() -> None:
    """A fault of one machine is one of the run."""
    assert _told(_first(), _second(incidents=incidents("runner_fault"))) == (
        "runner_fault", "shard 2/2: runner_fault happened",
    )  # fmt: skip


def test_other_narrowing_stays() -> None:
    """A part of a part is no whole."""
    narrowed = _second(narrowed_by=("--shard 2/2", "-k b"))
    assert _told(_first(), narrowed) == ("suite_narrowed", "the suite was narrowed by -k b")


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ((0, 5), None),
        ((0, 2), "interrupted"),
        ((4, 1), "config_error"),
        ((0, 0), None),
        ((0, -9), "internal_error"),
        ((-9, 1), "internal_error"),
    ],
)
def test_the_worst_status_counts(statuses: tuple[int, int], reason: str | None) -> None:
    """A part without checks (5) is none; whatever else pytest ended with, or a signal (-9), is that of the run."""
    first = _part(1, *map(passed, "abcd"), pytest_exit=statuses[0])
    second = _part(2, pytest_exit=statuses[1])
    verdict = decide(_merged(first, second))
    assert verdict.reason.value == (reason or "all_required_passed")


def test_what_is_added_up() -> None:
    """Traffic, answers of releases, control probes; the time is that from the first start to the last end."""
    first = _first(budget={"requests": 3, "bytes_allowed": None}, control=(control(),))
    second = _second(
        budget={"requests": 4, "bytes_allowed": None}, finished_at=BEGIN + 20,
        run={"id": "2", "started": BEGIN - 5, "ends_at": BEGIN + 30.0},
    )  # fmt: skip
    run = _merged(first, second)
    assert run.budget == {"requests": 7, "bytes_allowed": None}
    assert run.release.counts == {"web": {"r2": 10}}
    assert (run.run["started"], run.run["ends_at"], run.finished_at) == (BEGIN - 5, BEGIN + 30.0, BEGIN + 20)
    assert len(run.control) == 1


def test_what_is_known_of_the_whole() -> None:
    """Which runs it was made of, in the order of their shards; the longest wait, and the release that all saw."""
    second = _second(run={"id": "run-2", "started": BEGIN}, release=release(waited=4.0))
    assert [each["shard"] for each in _merged(_part(10, of=10), _part(2, of=10)).run["shards"]] == ["2/10", "10/10"]
    run = _merged(second, _first())
    assert (run.run["id"], run.run["ends_at"]) == ("merged", None)
    assert run.run["shards"] == [{"shard": "1/2", "run": "run-1"}, {"shard": "2/2", "run": "run-2"}]
    assert run.release == release(waited=4.0, counts={"web": {"r2": 10}})


def test_traffic_that_one_did_not_count() -> None:
    """A sum that lacks a part is not known; what one part alone has used is."""
    budgets = ({"requests": 3}, {"requests": None, "bytes": 5}, {"requests": 2})
    parts = (_part(index, of=3, budget=budget) for index, budget in enumerate(budgets, start=1))
    assert _merged(*parts).budget == {"requests": None, "bytes": 5}


def test_evidence_of_each_part_has_a_folder() -> None:
    """Files of two machines may have one name."""
    seen = CheckResult("a", attempt().outcome, (replace(attempt(), evidence=("evidence/a/attempt-1/page.png",)),))
    run = _merged(_part(1, seen, passed("c")), _second())
    assert run.results["a"].attempts[0].evidence == ("shard-1-of-2/evidence/a/attempt-1/page.png",)


def test_a_baseline_counts_if_all_had_it() -> None:
    """Otherwise nobody knows what was broken before."""
    before = Baseline("r1", {"b": Outcome.FAILED}, "history")
    second = _part(2, failed("b"), passed("d"), baseline=before)
    assert decide(_merged(_first(baseline=before), second)).reason is Reason.ALREADY_BROKEN
    assert decide(_merged(_first(), second)).reason is Reason.CONFIRMED_FAILURE
    assert _merged(second).baseline == before


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (Baseline("r1", {"b": Outcome.FAILED, "e": Outcome.PASSED}, "later"), Reason.ALREADY_BROKEN),
        (Baseline("r1", {"b": Outcome.PASSED}, "later"), Reason.CONFIRMED_FAILURE),
        (Baseline("r0", {"b": Outcome.FAILED}, "later"), Reason.CONFIRMED_FAILURE),
    ],
    ids=["more", "otherwise", "another-release"],
)
def test_a_history_that_went_on_between_two_parts(later: Baseline, reason: Reason) -> None:
    """What both were told of a check alike counts; what they were told otherwise, nobody knows."""
    before = Baseline("r1", {"b": Outcome.FAILED}, "history")
    run = _merged(_first(baseline=before), _part(2, failed("b"), passed("d"), baseline=later))
    assert decide(run).reason is reason
    if later.release == "r1":
        assert run.baseline is not None
        assert run.baseline.source == "history; later"
        assert set(run.baseline.outcomes) <= {"b"}


def test_what_all_were_told_alike() -> None:
    """Suite and lock of the parts are those of the whole."""
    told = {"suite": Suite({"suites/a.yaml": "sha256:1"}), "lock": Lock("postdeploy.lock", tuple("abcd"))}
    run = _merged(_first(**told), _second(**told))
    assert (run.suite, run.lock) == (told["suite"], told["lock"])
    assert decide(run).conclusion is Conclusion.PASS


def test_a_machine_that_is_sick_by_its_own_evidence() -> None:
    """Nothing that another machine saw makes its failures those of the target."""
    sick = services(down("web", "resolver_broken", target_fault=False), up("api"))
    verdict = decide(_merged(_first(), _part(2, failed("b"), failed("d"), services=sick)))
    assert (verdict.conclusion, verdict.reason) == (Conclusion.INCONCLUSIVE, Reason.RUNNER_FAULT)
    assert verdict.summary.startswith("shard 2/2: service web")
    wrong = _part(1, blocked("a"), blocked("c"), services=services(down("web", "http_503"), up("api")))
    for first in (_first(), wrong, _first(services=services(replace(sick["web"], code="no_route", attempts=1)))):
        assert _merged(first, _second(services=sick)).services["web"] == sick["web"]


def test_parts_that_were_dealt_out_by_other_durations() -> None:
    """Nobody knows whether such parts are one whole; parts by the same durations are."""
    dealings = [Dealing("run-1", {"a": 1.0}), Dealing("run-1", {"a": 1.0}), Dealing("run-2", {"a": 1.0})]

    def parts(first: Dealing, second: Dealing) -> tuple[Part, Part]:
        words = [(Shard(index, 2).narrowing, each.narrowing) for index, each in ((1, first), (2, second))]
        return _first(narrowed_by=words[0]), _second(narrowed_by=words[1])

    merged = _merged(*parts(*dealings[:2]))
    assert (merged.narrowed_by, decide(merged).conclusion) == ((), Conclusion.PASS)
    assert _told(*parts(*dealings[1:])) == (
        "incomplete", "shard 2/2 verified parts by other durations than shard 1/2"
    )  # fmt: skip


def test_a_check_that_two_parts_ran() -> None:
    """Where they do not agree neither is believed: parts that overlap hide no failure."""
    assert _told(_part(1, passed("a"), passed("c"), failed("d")), _second())[0] == "required_check_not_proven"
