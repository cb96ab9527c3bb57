from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from postdeploy.domain.evidence import Baseline, EvidenceError, PlannedCheck, ReleaseEvidence, Wait, fold
from postdeploy.domain.result import CheckResult, Outcome
from tests.domain.builders import (
    BEGIN,
    attempt,
    control,
    down,
    evidence,
    failed,
    incidents,
    passed,
    plan,
    records,
    result,
    services,
    up,
)

Records = list[dict[str, Any]]

FULL = evidence(
    passed("a"),
    failed("b"),
    services=services(up("web"), down("api")),
    incidents=incidents("interrupted"),
    baseline=Baseline("r1", {"a": Outcome.PASSED}, "old/verdict.json"),
    budget={"requests": 3},
    narrowed_by=("-k",),
)


def journal() -> Records:
    """The records of a run in which much happened, as they come from disk."""
    lines: Records = json.loads(json.dumps(records(FULL)))
    return lines


def test_round_trip() -> None:
    """Evidence comes back from its records without loss."""
    assert fold(journal()) == FULL


def test_control() -> None:
    """What control probes said comes back in its order."""
    run = evidence(passed(), control=(control(), control("clock", healthy=False, code="clock_skew", skew=99.0)))
    assert fold(json.loads(json.dumps(records(run)))) == run


def test_waits() -> None:
    """What was waited for before the checks comes back in its order."""
    run = evidence(passed(), waits=(Wait("release", BEGIN, 2.5), Wait("preflight", BEGIN + 2.5, 0.1)))
    assert fold(json.loads(json.dumps(records(run)))) == run


def test_dead_before_its_plan() -> None:
    """A run that died at once has evidence, too: nothing was planned, nothing finished."""
    run = fold(journal()[:1])
    assert (run.plan, run.narrowed_by, run.finished, run.pytest_exit) == ((), (), False, None)


def test_later_states_win() -> None:
    """Services and releases are what was last said of them."""
    lines = journal()
    lines[-1:-1] = [
        {"record": "service", "service": {**lines[2]["service"], "live": False}},
        {"record": "release", "release": {"last": {"web": "r3"}}},
    ]
    run = fold(lines)
    assert (run.services["web"].live, run.release.last, run.release.live) == (False, {"web": "r3"}, True)


def test_the_same_result_twice() -> None:
    """A result that is told twice in the same words is one."""
    lines = journal()
    assert fold([*lines[:-1], lines[5], lines[-1]]) == fold(lines)


@pytest.mark.parametrize("second", [passed("a"), failed("a"), CheckResult("a", Outcome.SKIPPED, by_policy=True)])
def test_two_results(second: CheckResult) -> None:
    """Of two different results of one check neither is believed."""
    lines = journal()
    contradiction = {"record": "result", "result": result("a", "failed", "passed").to_json()}
    other = {"record": "result", "result": second.to_json()}
    kept = fold([*lines[:2], contradiction, other]).results["a"]
    assert (kept.check_id, kept.outcome, kept.reason) == ("a", Outcome.ERRORED, "it reported more than one result")
    assert len(kept.attempts) == 2 + len(second.attempts)


def changed(index: int, change: Callable[[dict[str, Any]], object]) -> Records:
    """The journal with one record changed."""
    lines = journal()
    change(lines[index])
    return lines


def moved(source: int, place: int) -> Records:
    """The journal with one record in another place."""
    lines = journal()
    lines.insert(place, lines.pop(source))
    return lines


WRONG: dict[str, Callable[[], Records]] = {
    "nothing": list,
    "no start": lambda: journal()[1:],
    "started late": lambda: moved(0, 1),
    "started twice": lambda: [journal()[0], *journal()],
    "planned twice": lambda: [*journal()[:2], *journal()[1:]],
    "two baselines": lambda: [*journal()[:9], journal()[8], *journal()[9:]],
    "finished twice": lambda: [*journal(), journal()[-1]],
    "a result after the end": lambda: moved(5, 10),
    "unknown record": lambda: changed(3, lambda record: record.update(record="guess")),
    "record without a kind": lambda: changed(3, lambda record: record.pop("record")),
    "kind that is no text": lambda: changed(3, lambda record: record.update(record=["service"])),
    "wait without a time": lambda: [*journal()[:5], {"record": "wait", "wait": {"name": "release", "began": None}}],
    "no run id": lambda: changed(0, lambda record: record["run"].pop("id")),
    "no time": lambda: changed(0, lambda record: record["run"].update(started="today")),
    "no target": lambda: changed(0, lambda record: record.update(target=None)),
    "release that is no text": lambda: changed(0, lambda record: record.update(expected=2)),
    "no policy": lambda: changed(0, lambda record: record.update(policy={})),
    "severity that is none": lambda: changed(1, lambda record: record["checks"][0].update(severity="low")),
    "one id twice": lambda: changed(1, lambda record: record["checks"].append(record["checks"][0])),
    "flag that is a text": lambda: changed(1, lambda record: record["checks"][0].update(may_repeat="no")),
    "services in one text": lambda: changed(1, lambda record: record["checks"][0].update(services="web")),
    "narrowed by a text": lambda: changed(1, lambda record: record.update(narrowed_by="-k")),
    "live that is a text": lambda: changed(2, lambda record: record["service"].update(live="false")),
    "attempts below none": lambda: changed(2, lambda record: record["service"].update(attempts=-1)),
    "another release expected": lambda: changed(4, lambda record: record["release"].update(expected="r9")),
    "no release expected": lambda: changed(4, lambda record: record["release"].update(expected=None)),
    "live that is a number": lambda: changed(4, lambda record: record["release"].update(live=1)),
    "release of a service no text": lambda: changed(4, lambda record: record["release"].update(first={"web": 2})),
    "count that is none": lambda: changed(4, lambda record: record["release"].update(counts={"web": {"r": 0.5}})),
    "outcome that is none": lambda: changed(5, lambda record: record["result"].update(outcome="fine")),
    "infinite duration": lambda: changed(
        5, lambda record: record["result"]["attempts"][0].update(duration=float("inf"))
    ),
    "incident without a reason": lambda: changed(7, lambda record: record.pop("reason")),
    "baseline that is none": lambda: changed(8, lambda record: record.update(outcomes=["a"])),
    "budget that is none": lambda: changed(9, lambda record: record.update(used=3)),
    "status that is a flag": lambda: changed(10, lambda record: record.update(pytest_exit=True)),
    "status that is a text": lambda: changed(10, lambda record: record.update(pytest_exit="0")),
    "end at no time": lambda: changed(10, lambda record: record.update(at=float("nan"))),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_refused(name: str) -> None:
    """Records that cannot be a run are refused, in one kind of error."""
    with pytest.raises(EvidenceError, match="a record that cannot be read"):
        fold(WRONG[name]())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no start", "the record 'plan' stands where it cannot: a run starts once, with its first record"),
        ("started twice", "the record 'started' stands where it cannot: a run starts once, with its first record"),
        ("planned twice", "the record 'plan' stands twice"),
        ("finished twice", "the record 'finished' stands after the end of the run"),
        ("one id twice", "one check is planned twice"),
        ("another release expected", "another release is expected than at the start"),
        ("status that is a flag", "expected an exit status, got True"),
    ],
)
def test_what_is_wrong_is_told(name: str, words: str) -> None:
    """So that whoever looks at a journal knows where to look."""
    with pytest.raises(EvidenceError) as caught:
        fold(WRONG[name]())
    assert str(caught.value).startswith("the journal holds a record that cannot be read: ")
    assert str(caught.value).endswith(f"Error({words!r})")


@pytest.mark.parametrize("severity", ["critical", "major", "minor"])
def test_planned_check_round_trip(severity: str) -> None:
    """A planned check comes back from JSON as it was."""
    check = plan(
        severity=severity, owner="api", runbook="https://wiki.test", may_repeat=False, issues=("https://b.test/1",)
    )
    assert PlannedCheck.from_json(json.loads(json.dumps(check.to_json()))) == check
    assert check.required is (severity != "minor")


def test_counts() -> None:
    """Every planned check is counted once; what never reported was not run; strangers do not count."""
    run = evidence(passed("a"), result("b", "failed", "passed"), failed("stranger"), plan=tuple(map(plan, "abc")))
    assert run.counts() == {
        "planned": 3, "executed": 2, "passed": 2, "failed": 0, "errored": 0, "skipped": 0, "blocked": 0, "not_run": 1,
        "flaky": 1,
    }  # fmt: skip
    assert run.unplanned() == ("stranger",)
    assert run.result(plan("c")) == CheckResult("c", Outcome.NOT_RUN, reason="it never reported")


@pytest.mark.parametrize(("ended", "since"), [(5.0, True), (4.8, False)])
def test_answered_since(ended: float, since: bool) -> None:
    """An answer counts if it came at the moment or later."""
    heard = result("home", "passed", attempts=(attempt(at=ended - 0.1, duration=0.1),))
    run = evidence(heard, release=ReleaseEvidence())
    assert run.answered_since(BEGIN + 5 - 0.1) is since
    at_once = result("home", "passed", attempts=(attempt(at=5, duration=0.5),))
    assert evidence(at_once, release=ReleaseEvidence()).answered_since(BEGIN + 5.5)
