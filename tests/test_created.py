"""The ledger of what runs have created, on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from postdeploy.created import LEDGER_FILE, CreationLedger, append_alone, exclusive, read_ledger
from postdeploy.domain.creation import Creation, intent_record, undone_record
from postdeploy.errors import JournalError

RECIPE = {"method": "DELETE", "place": "api:/x"}


def thing(number: str, run: str = "run") -> Creation:
    """Something that is left."""
    return Creation(number, "local", run, "check", (RECIPE,))


def test_without_an_entry_there_is_no_file(tmp_path: Path) -> None:
    """A run that creates nothing leaves nothing."""
    ledger = CreationLedger(tmp_path / "reports" / LEDGER_FILE)
    assert ledger.mine("run") == ()
    ledger.close()
    assert list(tmp_path.iterdir()) == []


def test_an_entry_is_on_disk_when_it_is_written(tmp_path: Path) -> None:
    """For nobody but its owner to read, scrubbed, and still there when it was closed."""
    ledger = CreationLedger(tmp_path / LEDGER_FILE, lambda record: record | {"run": "scrubbed"})
    ledger.write(intent_record(thing("1"), 1.0))
    assert [each.run for each in read_ledger(ledger.path)] == ["scrubbed"]
    assert [each.id for each in ledger.mine("scrubbed")] == ["1"]
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    ledger.close()
    ledger.close()
    assert ledger.path.exists()


def test_a_ledger_in_which_nothing_is_left_is_taken_away(tmp_path: Path) -> None:
    """Unless another process still writes to it."""
    first, second = (CreationLedger(tmp_path / LEDGER_FILE) for _ in range(2))
    first.write(intent_record(thing("1"), 1.0))
    second.write(undone_record("1"))
    first.close()
    assert first.path.exists()
    second.close()
    assert not first.path.exists()


def test_nobody_sweeps_beneath_a_run(tmp_path: Path) -> None:
    """The lock of a run goes with its process."""
    ledger = CreationLedger(tmp_path / LEDGER_FILE)
    ledger.write(intent_record(thing("1"), 1.0))
    with pytest.raises(JournalError, match="a run is still writing"), exclusive(ledger.path):
        pass
    ledger.close()
    with exclusive(ledger.path):
        append_alone(ledger.path, undone_record("1"))
    assert read_ledger(ledger.path) == ()


def test_a_torn_line_stands_for_nothing(tmp_path: Path) -> None:
    """The next run begins a line of its own."""
    path = tmp_path / LEDGER_FILE
    path.write_bytes(b'{"record":"intent","id":')
    ledger = CreationLedger(path)
    ledger.write(intent_record(thing("2"), 1.0))
    assert [each.id for each in read_ledger(path)] == ["2"]
    ledger.close()


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Then nothing may be created."""
    link = tmp_path / LEDGER_FILE
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError):
        CreationLedger(link).write(intent_record(thing("1"), 1.0))
    with pytest.raises(JournalError):
        CreationLedger(tmp_path / "l2").write({"record": float("nan")})


def test_what_is_no_ledger_is_told(tmp_path: Path) -> None:
    """Neither a record of another kind, nor a folder."""
    path = tmp_path / LEDGER_FILE
    path.write_bytes(b'{"record":"other","id":"1"}\n')
    with pytest.raises(JournalError, match="not a ledger"):
        read_ledger(path)
    with pytest.raises(JournalError, match="cannot be read"):
        read_ledger(tmp_path)
