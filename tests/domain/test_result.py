from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.domain.result import Attempt, CheckResult, Fault, Finding, Outcome

times = st.floats(0, 1e10).map(lambda seconds: round(seconds, 6))
texts = st.text(max_size=20)
optional = st.none() | texts
counts = st.integers(0, 10**6)
findings = st.builds(
    Finding, code=texts, subject=texts, expected=texts, observed=texts, step=counts, line=counts, column=counts
)
attempts = st.builds(
    Attempt,
    outcome=st.sampled_from(Outcome),
    started=times,
    duration=times,
    phases=st.dictionaries(texts, times, max_size=3),
    findings=st.lists(findings, max_size=3).map(tuple),
    error=optional,
    exchanges=counts,
    releases=st.lists(texts, max_size=3).map(tuple),
    excerpt=texts,
    curl=optional,
    evidence=st.lists(texts, max_size=3).map(tuple),
    fault=st.none() | st.builds(Fault, url=texts, code=texts),
    status=st.none() | counts,
    code=optional,
    expires=st.none() | times,
)
results = st.builds(
    CheckResult,
    check_id=texts,
    outcome=st.sampled_from(Outcome),
    attempts=st.lists(attempts, max_size=3).map(tuple),
    reason=optional,
    blocked_by=optional,
    by_policy=st.booleans(),
)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(results)
def test_round_trip(result: CheckResult) -> None:
    """A result comes back from JSON without loss."""
    assert CheckResult.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


EVERYTHING = {
    "check": "s::n",
    "outcome": "failed",
    "attempts": [
        {
            "outcome": "failed",
            "started": 1.5,
            "duration": 0.25,
            "exchanges": 2,
            "phases": {"dns": 0.125},
            "findings": [
                {"code": "mismatch", "subject": "status", "expected": "200", "observed": "500",
                 "step": 3, "line": 4, "column": 5}
            ],
            "error": "it broke",
            "releases": ["r2"],
            "excerpt": "<html>",
            "curl": "curl https://web.test",
            "evidence": ["evidence/page.png"],
            "fault": {"url": "https://web.test", "code": "http_500"},
            "status": 500,
            "code": "timeout",
            "expires": 1_900_000_000.5,
        }
    ],
    "reason": "why",
    "blocked_by": "web",
    "by_policy": True,
}  # fmt: skip


def test_every_word_of_the_journal() -> None:
    """What others have read of a journal stays where they read it."""
    read = CheckResult.from_json(EVERYTHING)
    assert read.to_json() == EVERYTHING
    (attempt,) = read.attempts
    assert (attempt.status, attempt.code, attempt.fault) == (500, "timeout", Fault("https://web.test", "http_500"))
    assert (read.reason, read.blocked_by, read.by_policy) == ("why", "web", True)


def test_what_is_not_said() -> None:
    """It is nothing, and above all no excuse: a check that was skipped was not so by policy unless that was said."""
    said = {"check": "c", "outcome": "skipped", "attempts": []}
    assert CheckResult.from_json(said) == CheckResult("c", Outcome.SKIPPED)
    bare = {"outcome": "passed", "started": 1.0, "duration": 0.5, "exchanges": 0}
    assert Attempt.from_json(bare) == Attempt(Outcome.PASSED, 1.0, 0.5)
    words = {"code": "mismatch", "subject": "status", "expected": "200", "observed": "500"}
    assert Finding.from_json(words) == Finding("mismatch", "status", "200", "500")


def test_times_are_written_to_the_microsecond() -> None:
    """More digits would be noise."""
    written = Attempt(Outcome.PASSED, 1.123456789, 2.123456789, {"dns": 3.123456789}).to_json()
    assert (written["started"], written["duration"], written["phases"]) == (1.123457, 2.123457, {"dns": 3.123457})


@given(st.sampled_from([Finding, Attempt, CheckResult]), trees)
def test_anything_else_is_refused(kind: Any, tree: object) -> None:
    """Whatever is no result is refused, with the errors that are named."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        kind.from_json(tree)


WHOLE = CheckResult(
    "s::n",
    Outcome.FAILED,
    (
        Attempt(
            Outcome.FAILED,
            1.0,
            0.5,
            phases={"dns": 0.1},
            findings=(Finding("mismatch", "status", "200", "500"),),
            exchanges=1,
            releases=("a",),
            fault=Fault("http://a.test", "http_500"),
            expires=1_900_000_000.0,
        ),
    ),
).to_json()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("by_policy", "false"),
        ("outcome", "great"),
        ("outcome", ["passed"]),
        ("check", 5),
        ("reason", 5),
        ("attempts", {}),
        ("attempts", None),
        ("attempts/0", None),
        ("attempts/0/started", "1"),
        ("attempts/0/started", float("nan")),
        ("attempts/0/duration", float("inf")),
        ("attempts/0/duration", True),
        ("attempts/0/exchanges", "1"),
        ("attempts/0/exchanges", 1.5),
        ("attempts/0/exchanges", -1),
        ("attempts/0/phases", []),
        ("attempts/0/phases/dns", None),
        ("attempts/0/findings", {}),
        ("attempts/0/findings/0/code", None),
        ("attempts/0/findings/0/line", "1"),
        ("attempts/0/releases", "a"),
        ("attempts/0/error", 0),
        ("attempts/0/fault", "http://a.test"),
        ("attempts/0/fault/code", None),
        ("attempts/0/expires", "soon"),
    ],
    ids=str,
)
def test_damage_is_noticed(path: str, value: object) -> None:
    """One wrong value anywhere in a result makes it unreadable, never another result."""
    raw = json.loads(json.dumps(WHOLE))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place = raw
    for part in parents:
        place = place[part]
    place[last] = value
    with pytest.raises((KeyError, TypeError, ValueError)):
        CheckResult.from_json(raw)


def test_empty_is_left_out() -> None:
    """An attempt without anything special is a short record."""
    assert set(Attempt(Outcome.PASSED, 1.0, 0.5).to_json()) == {"outcome", "started", "duration", "exchanges"}


def test_finding_reads_as_a_sentence() -> None:
    """A finding says what was expected and what came."""
    assert str(Finding("mismatch", "status", "200", "500")) == "status: expected 200, got 500"


def attempt(outcome: Outcome, exchanges: int = 1) -> Attempt:
    """An attempt that ended like this."""
    return Attempt(outcome, 0.0, 0.0, exchanges=exchanges)


@pytest.mark.parametrize(
    ("outcome", "attempts", "flaky"),
    [
        (Outcome.PASSED, [Outcome.PASSED], False),
        (Outcome.PASSED, [Outcome.FAILED, Outcome.PASSED], True),
        (Outcome.PASSED, [Outcome.ERRORED, Outcome.PASSED], True),
        (Outcome.FAILED, [Outcome.FAILED, Outcome.FAILED], False),
        (Outcome.PASSED, [], False),
    ],
    ids=["at once", "later", "after an error", "never", "without a try"],
)
def test_flaky(outcome: Outcome, attempts: list[Outcome], flaky: bool) -> None:
    """Flaky is what passed, but not on the first attempt."""
    assert CheckResult("c", outcome, tuple(map(attempt, attempts))).flaky is flaky


def test_exchanges_add_up() -> None:
    """All answers of all attempts count."""
    assert CheckResult("c", Outcome.PASSED, (attempt(Outcome.FAILED, 2), attempt(Outcome.PASSED, 3))).exchanges == 5


def test_last_attempt() -> None:
    """The last attempt is the one that decided."""
    first, second = attempt(Outcome.FAILED), attempt(Outcome.PASSED)
    assert CheckResult("c", Outcome.PASSED, (first, second)).last is second
    assert CheckResult("c", Outcome.SKIPPED).last is None


def test_a_finding_without_a_place() -> None:
    """Step, line and column of a finding may be left out; whatever is there is read."""
    bare = {"code": "mismatch", "subject": "status", "expected": "200", "observed": "500"}
    assert Finding.from_json(bare) == Finding("mismatch", "status", "200", "500", 0, 0, 0)
    placed = Finding.from_json(bare | {"step": 1, "line": 2, "column": 3})
    assert placed == Finding("mismatch", "status", "200", "500", 1, 2, 3)
