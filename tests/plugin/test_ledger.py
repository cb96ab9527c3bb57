from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.journal import EVIDENCE_FILE
from postdeploy.plugin.ledger import Ledger
from postdeploy.plugin.settings import Settings
from postdeploy.plugin.signals import Signals


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger that knows one secret and has written one record."""
    ledger = Ledger(Settings("site", tmp_path / "targets.yaml", tmp_path, tmp_path), Signals(lambda _name: None))
    ledger.redactor = Redactor([Secret("known", "correct-horse")])
    ledger.append({"record": "incident", "reason": "internal_error", "message": "correct-horse, battery-staple"})
    return ledger


def test_what_was_learnt_later_is_taken_out_of_what_is_written(ledger: Ledger, tmp_path: Path) -> None:
    """A secret that came after its value was written is masked in the journal and in what is judged."""
    ledger.redactor.learn(Secret("learnt", "battery-staple"))
    ledger.scrub_again()
    assert ledger.records[0]["message"] == "***, ***"
    assert "battery-staple" not in (tmp_path / EVIDENCE_FILE).read_text()


def test_where_nothing_was_learnt_nothing_is_written_again(ledger: Ledger, tmp_path: Path) -> None:
    """The journal stays the file that it is."""
    before = (tmp_path / EVIDENCE_FILE).stat().st_ino
    ledger.scrub_again()
    assert (tmp_path / EVIDENCE_FILE).stat().st_ino == before
    assert ledger.records[0]["message"] == "***, battery-staple"
