from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.evidence import fold
from postdeploy.domain.retention import Retention
from postdeploy.errors import HistoryError
from postdeploy.history import keeping
from postdeploy.history.database import Database
from postdeploy.history.facts import RunMemory
from postdeploy.history.importing import import_runs
from postdeploy.history.keeping import Kept, give_up, keep, read_waiting, waiting
from postdeploy.history.place import Place
from postdeploy.history.reading import last_runs
from postdeploy.history.summary import summarise
from postdeploy.history.sums import check_sums
from postdeploy.journal import read_journal
from tests.history.conftest import Server
from tests.history.memories import NOW, check, run
from tests.sealed import PASSED, seal

Open = Callable[[Place], Database]
KEEP = Retention(results=100_000, sums=100_000)
KILLS = 50


def kept(place: Place, memory: RunMemory, reports: Path, patience: float = 10.0) -> Kept:
    """Keep a run with a clock that stands."""
    return keep(place, memory, reports, KEEP, patience=patience, now=lambda: NOW)


def test_kept(place: Place, tmp_path: Path, opened: Open) -> None:
    """A run is in the history, and nothing waits."""
    assert kept(place, run("r1"), tmp_path) == Kept(["r1"])
    assert kept(place, run("r1"), tmp_path) == Kept([], known=1)
    assert [row.id for row in last_runs(opened(place), "staging", 9)] == ["r1"]
    assert waiting(tmp_path) == []


def test_locked_file(tmp_path: Path, opened: Open) -> None:
    """While another process has the file to itself a run waits; the next one takes it along."""
    place = Place(file=tmp_path / "history.sqlite3")
    kept(place, run("r0"), tmp_path)
    other = sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "locked" in (kept(place, run("r1"), tmp_path, patience=0.4).problem or "")
    assert [read_waiting(path) for path in waiting(tmp_path)] == [run("r1")]
    other.execute("ROLLBACK")
    other.close()
    assert kept(place, run("r2"), tmp_path).runs == ["r2", "r1"]
    assert waiting(tmp_path) == []
    assert len(last_runs(opened(place), "staging", 9)) == 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(folder)], check=False).returncode:
        pytest.skip("mounting needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk(small_disk: Path, tmp_path: Path, opened: Open) -> None:
    """A full disk refuses the run, which waits elsewhere, and goes in when there is room again."""
    place = Place(file=small_disk / "history.sqlite3")
    assert kept(place, run("r0"), tmp_path).problem is None
    with suppress(OSError):
        _fill(small_disk / "full")
    checks = [check(f"check-{number}") for number in range(200)]
    assert "full" in (kept(place, run("r1", *checks), tmp_path).problem or "")
    assert len(waiting(tmp_path)) == 1
    (small_disk / "full").unlink()
    assert kept(place, run("r2"), tmp_path).runs == ["r2", "r1"]
    assert len(last_runs(opened(place), "staging", 9)) == 3


def test_nowhere_to_wait(tmp_path: Path) -> None:
    """Where reports cannot be written, the history still can."""
    reports = tmp_path / "reports"
    reports.write_text("a file")
    assert kept(Place(file=tmp_path / "history.sqlite3"), run("r1"), reports).runs == ["r1"]


def test_no_database(tmp_path: Path) -> None:
    """A server that is not there, and a file that is none, are told in a sentence."""
    assert "postgresql://nowhere" in (kept(Place(url="postgresql://nowhere.invalid/h"), run(), tmp_path).problem or "")
    (tmp_path / "text").write_text("no database at all, " * 100)
    assert "not a database" in (kept(Place(file=tmp_path / "text"), run(), tmp_path).problem or "")
    with pytest.raises(HistoryError, match="not a run that waits"):
        read_waiting(tmp_path / "text")


def test_what_waits_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that stays away does not fill the disk: the oldest runs go, and it is told how many."""
    away = Place(url="postgresql://nowhere.invalid/h")
    monkeypatch.setattr(keeping, "_MOST", 3)
    for number, name in enumerate("zyxw"):
        told = kept(away, run(name), tmp_path).problem or ""
        os.utime(tmp_path / "unrecorded" / f"{name}.json", (number, number))
        assert told.endswith("; 1 that had waited longest was given up") == (name == "w")
    assert [path.stem for path in waiting(tmp_path)] == ["w", "x", "y"]
    assert give_up(tmp_path, 9, size=2 * waiting(tmp_path)[0].stat().st_size) == 1
    assert give_up(tmp_path, 9, size=1) == 1
    assert [path.stem for path in waiting(tmp_path)] == ["w"]  # the newest one is never given up


def test_server_that_hangs(server: Server, tmp_path: Path, opened: Open) -> None:
    """A server that accepts and says nothing costs no more than the patience."""
    place = server.create()
    kept(place, run("r0"), tmp_path)
    server.process.send_signal(signal.SIGSTOP)
    for child in _children(server.process.pid):
        os.kill(child, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        assert "did not answer within 0.3 s" in (kept(place, run("r1"), tmp_path, patience=0.3).problem or "")
        assert time.monotonic() - begun < 5
    finally:
        for child in (*_children(server.process.pid), server.process.pid):
            os.kill(child, signal.SIGCONT)
    assert kept(place, run("r2"), tmp_path).problem is None
    assert len(last_runs(opened(place), "staging", 9)) == 3
    assert waiting(tmp_path) == []


def test_writer_killed(place: Place, tmp_path: Path, opened: Open) -> None:
    """The writer is killed at fifty points: no run is lost, and none is there twice."""
    memories = [_sealed(tmp_path / str(number), number) for number in range(KILLS)]
    begun = time.monotonic()
    kept(place, run("before"), tmp_path)
    _in_a_child(lambda: kept(place, run("whole"), tmp_path), None)
    whole = (time.monotonic() - begun) * 0.75
    for number, memory in enumerate(memories):
        reports = tmp_path / str(number)
        _in_a_child(lambda memory=memory, reports=reports: kept(place, memory, reports), whole * number / KILLS)  # type: ignore[misc]
    history = opened(place)
    survived = len(last_runs(history, "staging", 999)) - 2
    assert 0 < survived < KILLS, "the points are not spread over the work"
    assert len(import_runs(history, [tmp_path], KEEP, now=NOW).new) == KILLS - survived
    assert len(last_runs(history, "staging", 999)) == KILLS + 2
    assert {each.id: each.good for each in check_sums(history, "staging", 0)} == {"home": KILLS + 2, "api": KILLS}


def test_server_killed(server: Server, tmp_path: Path, opened: Open) -> None:
    """The database dies while runs are written to it: no run is lost, and none is there twice."""
    place, number = server.create(), 0
    for delay in range(6):
        dying = threading.Timer(0.01 + 0.02 * delay, server.stop)
        dying.start()
        while dying.is_alive():
            number += 1
            kept(place, run(f"r{number}"), tmp_path)
        server.start()
    assert len(waiting(tmp_path)) >= 1
    assert kept(place, run("last"), tmp_path).problem is None
    assert waiting(tmp_path) == []
    history = opened(place)
    assert len(last_runs(history, "staging", 9999)) == number + 1
    assert [each.good for each in check_sums(history, "staging", 0)] == [number + 1]


def _sealed(reports: Path, number: int) -> RunMemory:
    """A run that was sealed and is not in the history yet."""
    reports.mkdir()
    seal(reports, replace(PASSED, run=dict(PASSED.run) | {"id": f"run-{number}", "started": NOW}))
    evidence = fold(read_journal(reports / "evidence.jsonl").records)
    return summarise(evidence, decide(evidence))


def _in_a_child(work: Callable[[], object], seconds: float | None) -> None:
    """Do something in a process of its own, which is killed after some time."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def _children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
