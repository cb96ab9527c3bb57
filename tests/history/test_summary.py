from __future__ import annotations

from postdeploy.domain.decision import decide
from postdeploy.history.summary import summarise
from tests.domain.builders import attempt, blocked, evidence, failed, passed, release, result


def test_what_is_remembered() -> None:
    """Verdict, release, policy, and of each check how it ended, how often it was tried, how long it took, and why."""
    run = evidence(passed("a"), failed("b"), result("c", "failed", "passed"), blocked("d"))
    told = summarise(run, decide(run))
    assert (told.id, told.target, told.mode, told.verdict, told.action) == (
        "run-1", "staging", "gate", "fail", "rollback",
    )  # fmt: skip
    assert (told.expected, told.release, dict(told.observed), told.complete) == ("r2", "r2", {"web": "r2"}, True)
    assert told.policy == run.policy.digest
    a, b, c, d = told.checks
    assert (a.outcome, a.attempts, a.duration, a.message) == ("passed", 1, 0.1, None)
    assert (b.outcome, b.attempts, b.message) == ("failed", 2, "status: expected 200, got 404")
    assert (c.outcome, c.flaky, c.message) == ("passed", True, "status: expected 200, got 404")
    assert (d.outcome, d.attempts, d.duration, d.message) == ("blocked", 0, None, "it is down")


def test_release_that_nobody_expected() -> None:
    """Without an expected release it is the only one that answered, if it is only one."""
    one = evidence(passed(), release=release(expected=None))
    two = evidence(passed(), release=release(expected=None, first={"web": "r1", "api": "r2"}))
    assert [summarise(run, decide(run)).release for run in (one, two)] == ["r2", None]


def test_narrowed_or_unfinished_runs_are_not_complete() -> None:
    """A part of a run is remembered as a part."""
    for run in (evidence(passed(), narrowed_by=("-k",)), evidence(passed(), pytest_exit=2)):
        assert not summarise(run, decide(run)).complete


def test_messages_are_one_line() -> None:
    """What a test printed at length is kept short."""
    run = evidence(result("a", "errored", attempts=(attempt("errored", error="\nfirst\nsecond"),)))
    assert summarise(run, decide(run)).checks[0].message == "first"


def test_texts_that_no_database_takes() -> None:
    """A lone surrogate and NUL, which a target may answer with, are kept as escapes."""
    run = evidence(result("a", "errored", attempts=(attempt("errored", error="x\ud800y\0z — 집"),)))
    assert summarise(run, decide(run)).checks[0].message == r"x\ud800y\x00z — 집"
