from __future__ import annotations

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import Evidence, EvidenceError, fold
from postdeploy.domain.lock import Lock
from postdeploy.domain.policy import Action
from postdeploy.domain.verdict import Conclusion, Reason
from tests.domain.builders import evidence, failed, passed, records


def _locked(run: Evidence, *checks: str) -> Evidence:
    begun, *rest = records(run)
    return fold([begun, {"record": "lock", "file": "postdeploy.lock", "checks": checks}, *rest])


def test_compared() -> None:
    """What is missing stands in the order of the lock, what is new in that of the plan."""
    lock = Lock("postdeploy.lock", ("a", "b", "c"))
    assert (lock.missing(["b"]), lock.new(["b"])) == (("a", "c"), ())
    assert (lock.missing("dacb"), lock.new("dacbe")) == ((), ("d", "e"))


def test_up_to_date() -> None:
    """A lock with the checks that were collected changes nothing."""
    run = _locked(evidence(passed("a"), passed("b")), "a", "b")
    verdict = decide(run)
    assert (verdict.reason, verdict.warnings) == (Reason.ALL_REQUIRED_PASSED, ())
    told = verdict_document(run, verdict, proof={}, exporters={})["lock"]
    assert told == {"file": "postdeploy.lock", "checks": 2, "missing": [], "new": []}


@pytest.mark.parametrize(
    ("lock", "said"),
    [("abc", "c is in postdeploy.lock and not in the suite; if that is meant, run: postdeploy lock"),
     ("abcd", "c and 1 more are in postdeploy.lock and not in the suite; if that is meant, run: postdeploy lock")],
)  # fmt: skip
def test_a_check_that_vanished_is_no_pass(lock: str, said: str) -> None:
    """Whatever else passed."""
    run = _locked(evidence(passed("a"), passed("b")), *lock)
    verdict = decide(run)
    assert (verdict.conclusion, verdict.action) == (Conclusion.INCONCLUSIVE, Action.HOLD)
    assert (verdict.reason, verdict.summary) == (Reason.REQUIRED_CHECK_MISSING, said)
    assert verdict_document(run, verdict, proof={}, exporters={})["lock"]["missing"] == list(lock[2:])


def test_a_failure_is_one_whatever_has_vanished() -> None:
    """One solid failure is enough."""
    assert decide(_locked(evidence(failed("a")), "a", "b")).conclusion is Conclusion.FAIL


def test_a_new_check_is_told() -> None:
    """It would not be missed if it vanished again."""
    verdict = decide(_locked(evidence(passed("a"), passed("b")), "a"))
    assert (verdict.reason, verdict.action) == (Reason.PASSED_WITH_WARNINGS, Action.PROMOTE)
    assert verdict.warnings == ("not in postdeploy.lock: b; run: postdeploy lock",)
    verdict = decide(_locked(evidence(passed("a"), passed("b"), passed("c")), "a"))
    assert verdict.warnings == ("not in postdeploy.lock: b and 1 more; run: postdeploy lock",)


def test_what_was_left_out_is_said_first() -> None:
    """A narrowed run has a simpler explanation for what is missing."""
    run = evidence(passed("a"), narrowed_by=("--ignore",))
    assert decide(_locked(run, "a", "b")).reason is Reason.SUITE_NARROWED


def test_read_strictly() -> None:
    """A lock is told once, in texts."""
    begun, *rest = records(evidence(passed("a")))
    told = {"record": "lock", "file": "postdeploy.lock", "checks": ["a"]}
    assert fold([begun, told, *rest]).lock == Lock("postdeploy.lock", ("a",))
    for wrong in ([told, told], [told | {"checks": [1]}], [told | {"checks": "a"}], [{"record": "lock"}]):
        with pytest.raises(EvidenceError):
            fold([begun, *wrong, *rest])


def test_without() -> None:
    """A run without a lock says so."""
    run = evidence(passed("a"))
    assert verdict_document(run, decide(run), proof={}, exporters={})["lock"] is None
