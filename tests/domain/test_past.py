from __future__ import annotations

from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import EvidenceError, fold
from postdeploy.domain.past import Past, Timing, past_warnings, threshold
from postdeploy.domain.result import Outcome
from tests.domain.builders import attempt, evidence, failed, passed, records, result

USUAL = Timing(50, 0.4, 0.1, 0.6)


def past(**checks: Timing | None) -> Past:
    """What is remembered of some checks."""
    return Past("history h.db", "run-0", checks, "r1")


def warnings(seconds: float, timing: Timing = USUAL) -> list[str]:
    """What is said of a check that took this long."""
    one = result("home", "passed", attempts=(attempt(duration=seconds),))
    return list(past_warnings(evidence(one, past=past(home=timing))))


@pytest.mark.parametrize(
    ("seconds", "timing", "warned"),
    [
        (3.0, USUAL, True),
        (0.7, USUAL, True),
        (0.59, USUAL, False),
        (3.0, Timing(29, 0.4, 0.1, 0.6), False),
        (3.0, Timing(50, 0.4, 0.1, 3.0), False),
        (0.61, Timing(50, 0.5, 0.01, 0.6), False),
        (0.05, Timing(50, 0.01, 0.01, 0.02), False),
        (3.0, Timing(50, 0.4, 1.5, 0.6), False),
        (3.0, Timing(50, 0.0, 0.1, 0.6), False),
        (0.7, Timing(50, 0.4, 0.0, 0.6), True),
    ],
    ids=["far", "just", "within the past", "too few", "not the longest", "not by half", "a trifle", "wide", "no time",
         "always the same"],
)  # fmt: skip
def test_slow(seconds: float, timing: Timing, warned: bool) -> None:
    """Slow is what is longer than all of the past, by half, by a tenth of a second, and by more than chance."""
    assert bool(warnings(seconds, timing)) is warned


def test_what_is_said() -> None:
    """The warning has the duration, and those of the past."""
    assert warnings(3.0) == ["slower than ever: home took 3.00 s, before 0.40 s and 0.60 s at most"]


def test_more_checks_ask_for_more() -> None:
    """The more checks and the fewer durations, the higher the threshold, so that the rate for the run stays."""
    assert threshold(50, 1) < threshold(50, 100) < threshold(30, 100)
    assert threshold(10**9, 1) == pytest.approx(2.326, abs=0.001)


@pytest.mark.parametrize("outcomes", [("failed", "passed"), ("failed", "failed")])
def test_only_passes_at_once_are_compared(outcomes: tuple[str, ...]) -> None:
    """A check that was tried again, or failed, is told of elsewhere."""
    attempts = tuple(attempt(outcome, duration=9.0) for outcome in outcomes)
    run = evidence(result("home", *outcomes, attempts=attempts), past=past(home=USUAL))
    assert list(past_warnings(run)) == []


@pytest.mark.parametrize(
    ("gone", "said"),
    [(["a"], "1 check fewer than in the last run on this target (run-0): a"),
     (["a", "b", "c"], "3 checks fewer than in the last run on this target (run-0): a and 2 more")],
)  # fmt: skip
def test_missing_checks(gone: list[str], said: str) -> None:
    """Checks that the last run had are missed; new ones are no matter."""
    run = evidence(passed("home"), passed("new"), past=past(home=None, **dict.fromkeys(gone)))
    assert list(past_warnings(run)) == [said]
    assert decide(run).warnings == (said,)


def test_nothing_to_compare() -> None:
    """Without a past, or without a plan, nothing is said."""
    assert list(past_warnings(evidence(passed("home")))) == []
    assert list(past_warnings(evidence(plan=(), past=past(home=None)))) == []


def test_journal_and_verdict() -> None:
    """The past comes back from the journal, once, and the verdict says what was remembered."""
    run = evidence(passed("home"), failed("b"), past=past(home=USUAL, b=None))
    lines = records(run)
    assert fold(lines).past == run.past
    told: dict[str, Any] = verdict_document(run, decide(run), proof={}, exporters={})
    assert told["past"] == {"source": "history h.db", "run": "run-0", "last_good": "r1", "checks": 2, "timed": 1}
    assert run.result(run.plan[1]).outcome is Outcome.FAILED
    with pytest.raises(EvidenceError, match="stands twice"):
        fold([*lines[:-1], {"record": "past"} | past().to_json(), lines[-1]])
