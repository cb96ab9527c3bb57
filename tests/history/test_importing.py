from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from postdeploy.documents import write_document
from postdeploy.domain.retention import Retention
from postdeploy.history.database import Database
from postdeploy.history.importing import import_runs
from postdeploy.history.place import Place
from postdeploy.history.reading import last_runs
from tests.domain.builders import BEGIN
from tests.history.memories import run
from tests.sealed import FAILED, PASSED, seal

Open = Callable[[Place], Database]
KEEP = Retention()


def test_journals_and_waiting_runs(place: Place, tmp_path: Path, opened: Open) -> None:
    """What runs left behind is read from a folder, once; what waited is gone afterwards, journals stay."""
    for name, evidence in (("one", PASSED), ("two", replace(FAILED, run=dict(FAILED.run) | {"id": "run-2"}))):
        (tmp_path / name).mkdir()
        seal(tmp_path / name, evidence)
    waits = tmp_path / "one" / "unrecorded" / "run-3.json"
    told = run("run-3", started=BEGIN + 60).to_json()
    write_document(waits, {"schema": "postdeploy/run-memory/1", "run": told})
    history = opened(place)
    imported = import_runs(history, [tmp_path], KEEP, now=BEGIN)
    assert sorted(imported.new) == ["run-1", "run-2", "run-3"]
    assert not waits.exists()
    assert (tmp_path / "one" / "evidence.jsonl").exists()
    assert [row.verdict for row in last_runs(history, "staging", 9)] == ["pass", "fail", "pass"]
    again = import_runs(history, [tmp_path], KEEP, now=BEGIN)
    assert (again.new, again.known, again.problems) == ([], 2, [])


def test_what_cannot_be_read_is_told(place: Place, tmp_path: Path, opened: Open) -> None:
    """A journal that is none, one of a run that never finished, and a file of something else leave the others alone."""
    for name in ("good", "torn", "unfinished", "other"):
        (tmp_path / name).mkdir()
    seal(tmp_path / "good")
    (tmp_path / "torn" / "evidence.jsonl").write_bytes(b"{}\n")
    seal(tmp_path / "unfinished", replace(PASSED, finished=False))
    (tmp_path / "other" / "unrecorded").mkdir()
    (tmp_path / "other" / "unrecorded" / "x.json").write_text('{"schema": "something"}')
    imported = import_runs(opened(place), [tmp_path], KEEP, now=BEGIN)
    assert imported.new == ["run-1"]
    assert [
        word
        for word in ("cannot be read", "did not finish", "not of schema")
        if any(word in problem for problem in imported.problems)
    ] == ["cannot be read", "did not finish", "not of schema"]
