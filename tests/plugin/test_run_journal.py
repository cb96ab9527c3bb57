from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from postdeploy.documents import read_document
from postdeploy.domain.policy import Policy
from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.errors import JournalError
from postdeploy.journal import EVIDENCE_FILE
from postdeploy.plugin.run_journal import RunJournal
from postdeploy.plugin.settings import Settings
from postdeploy.plugin.signals import Signals


@pytest.fixture
def journal(tmp_path: Path) -> RunJournal:
    """The journal of a run, which knows one secret and has written one record."""
    journal = RunJournal(Settings("site", tmp_path / "targets.yaml", tmp_path, tmp_path), Signals(lambda _name: None))
    journal.redactor = Redactor([Secret("known", "correct-horse")])
    journal.append({"record": "incident", "reason": "internal_error", "message": "correct-horse, battery-staple"})
    return journal


def test_what_was_learnt_later_is_taken_out_of_what_is_written(journal: RunJournal, tmp_path: Path) -> None:
    """A secret that came after its value was written is masked in the journal and in what is judged."""
    journal.redactor.learn(Secret("learnt", "battery-staple"))
    journal.scrub_again()
    assert journal.records[0]["message"] == "***, ***"
    assert "battery-staple" not in (tmp_path / EVIDENCE_FILE).read_text()


def test_where_nothing_was_learnt_nothing_is_written_again(journal: RunJournal, tmp_path: Path) -> None:
    """The journal stays the file that it is."""
    before = (tmp_path / EVIDENCE_FILE).stat().st_ino
    journal.scrub_again()
    assert (tmp_path / EVIDENCE_FILE).stat().st_ino == before
    assert journal.records[0]["message"] == "***, battery-staple"


def test_a_record_that_was_not_kept_is_never_made_up_for(journal: RunJournal, tmp_path: Path) -> None:
    """A disk that was full for a moment: there is room again, and still no verdict, nor another record."""
    with Path("/dev/full").open("wb") as full:
        journal._journal._file, whole = full, journal._journal._file
        with pytest.raises(JournalError, match="no space left"):
            journal.append({"record": "incident", "reason": "internal_error", "message": "lost"})
        full.raw.close()
    journal._journal._file = whole
    journal.append({"record": "incident", "reason": "internal_error", "message": "later"})
    with pytest.raises(JournalError, match="no space left"):
        journal.seal(0)
    assert b"later" not in (tmp_path / EVIDENCE_FILE).read_bytes()
    assert not (tmp_path / "verdict.json").exists()


@pytest.fixture
def begun(journal: RunJournal) -> RunJournal:
    """A run that has verified nothing yet."""
    journal.records.clear()
    run, target = {"id": "run-1", "started": 1.0}, {"name": "site", "services": {}}
    journal.open({"record": "started", "run": run, "target": target, "policy": Policy().to_json(), "expected": None})
    return journal


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "for good"])
def test_whoever_ends_the_run_need_not_wait_for_the_disk(
    begun: RunJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    """At once means that the verdict can be read before the disk is asked to keep it; else it is kept first.

    Evidence, verdict and the folder of both are forced to the disk either way.
    """
    states: list[str] = []
    monkeypatch.setattr("os.fsync", lambda _handle: states.append(read_document(begun.path)["state"]))
    begun.seal(2, at_once=at_once)
    assert states == (["sealed"] * 3 if at_once else ["started", "started", "sealed"])
    assert read_document(begun.path)["state"] == "sealed"


def test_a_verdict_that_the_disk_does_not_keep_is_withdrawn(begun: RunJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was there to be read for a moment; that it holds cannot be promised, so it goes."""

    def refuse(_handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(JournalError, match=r"evidence\.jsonl: cannot be written: input/output error"):
        begun.seal(2, at_once=True)
    assert not begun.path.exists()


def test_reports_are_made_of_what_is_on_disk(begun: RunJournal) -> None:
    """What was sealed here is not read twice, unless something else stands there by now."""
    begun.seal(5)
    assert repr(begun.document()) == repr(read_document(begun.path))
    assert begun.document() is begun.document()
    begun.path.write_text('{"state": "another"}')
    assert begun.document() == {"state": "another"}
