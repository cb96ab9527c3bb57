"""What a dead run has left is sealed, byte by byte torn or not, and is never a pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postdeploy.domain.policy import Action
from postdeploy.domain.verdict import Conclusion, Reason, Verdict
from postdeploy.errors import JournalError
from postdeploy.gate import Demand, judge
from postdeploy.journal import read_journal, render_record
from postdeploy.salvage import salvage
from tests.domain.builders import BEGIN, evidence, failed, passed, records

HOW: dict[str, Any] = {"reason": "incomplete", "message": "it was killed", "status": -9, "at": BEGIN + 20}
PASSED = b"".join(map(render_record, records(evidence(passed("a"), passed("b")))))
FAILED = records(evidence(failed("a"), passed("b")))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the journal of the dead run is."""
    return tmp_path / "evidence.jsonl"


def gate(journal: Path) -> int:
    """What the gate says."""
    demand = Demand("staging", "r2", "run-1", 900.0, BEGIN + 30)
    return judge(journal.with_name("verdict.json"), demand).status


def save(journal: Path, verdict: Verdict) -> tuple[Conclusion, Action, Reason]:
    """The three words of a verdict, of which the gate has to be convinced."""
    assert gate(journal) == {Action.ROLLBACK: 20, Action.HOLD: 10}[verdict.action]
    return verdict.conclusion, verdict.action, verdict.reason


def test_failure_is_still_one(journal: Path) -> None:
    """What was confirmed before the death is a failure, and the gate agrees."""
    journal.write_bytes(b"".join(map(render_record, FAILED[:-2])))
    verdict = salvage(journal.parent, "run-1", **HOW)
    assert save(journal, verdict) == (Conclusion.FAIL, Action.ROLLBACK, Reason.CONFIRMED_FAILURE)
    document = json.loads(journal.with_name("verdict.json").read_bytes())
    assert document["counts"] | {"failed": 1, "not_run": 1} == document["counts"]
    assert document["incidents"] == [{"reason": "incomplete", "message": "it was killed"}]
    assert document["run"]["pytest_exit"] == -9


def test_one_attempt_is_no_failure(journal: Path) -> None:
    """Nothing is invented: a failure that was not confirmed before the death never will be."""
    once = records(evidence(failed("a", attempts=failed("a").attempts[:1])))
    journal.write_bytes(b"".join(map(render_record, once)))
    verdict = salvage(journal.parent, "run-1", **HOW)
    assert save(journal, verdict) == (Conclusion.INCONCLUSIVE, Action.HOLD, Reason.INCOMPLETE)


@pytest.mark.parametrize("reason", ["incomplete", "interrupted", "deadline_exceeded"])
def test_reason(journal: Path, reason: str) -> None:
    """How the run ended is the reason, if nothing worse was proven."""
    journal.write_bytes(PASSED)
    verdict = salvage(journal.parent, "run-1", **HOW | {"reason": reason})
    assert save(journal, verdict) == (Conclusion.INCONCLUSIVE, Action.HOLD, Reason(reason))


def test_anywhere(journal: Path) -> None:
    """A run in which everything passed and that died anywhere in its journal is no pass."""
    first = PASSED.index(b"\n") + 1
    ends = [at + 1 for at, byte in enumerate(PASSED) if byte == ord("\n")]
    for length in sorted({*range(0, len(PASSED), 41), *ends}):
        journal.write_bytes(PASSED[:length])
        if length < first:
            with pytest.raises(JournalError, match="the evidence is not of run run-1"):
                salvage(journal.parent, "run-1", **HOW)
            continue
        verdict = salvage(journal.parent, "run-1", **HOW)
        assert verdict.conclusion is Conclusion.INCONCLUSIVE, PASSED[:length]
        assert ("torn" in verdict.summary) == (PASSED[length - 1 : length] != b"\n")
        assert gate(journal) == 10


def test_end_that_was_not_sealed(journal: Path) -> None:
    """A run that died between its last record and its verdict did not end."""
    journal.write_bytes(PASSED)
    verdict = salvage(journal.parent, "run-1", **HOW)
    assert save(journal, verdict)[2] is Reason.INCOMPLETE
    finished = [record for record in read_journal(journal).records if record["record"] == "finished"]
    assert finished == [{"record": "finished", "at": BEGIN + 20, "pytest_exit": -9}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not of run"),
        (b"nonsense\n", "not a record"),
        (b'{"record":"started","run":[]}\n', "not of run"),
        (b'{"record":"started","run":{"id":"run-0"}}\n', "not of run"),
        (b'{"record":"started","run":{"id":"run-1"}}\n', "cannot be read"),
    ],
)
def test_nothing_to_save(journal: Path, content: bytes, words: str) -> None:
    """A journal that is none, or of another run, stays as it is."""
    journal.write_bytes(content)
    with pytest.raises(JournalError, match=words):
        salvage(journal.parent, "run-1", **HOW)
    assert journal.read_bytes() == content
    assert not journal.with_name("verdict.json").exists()
