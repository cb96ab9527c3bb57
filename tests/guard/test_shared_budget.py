"""The budget that all processes of a run count in."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from postdeploy.domain.target import Budget
from postdeploy.guard.book import Book
from postdeploy.guard.budget import BudgetSpentError, Meter, open_meter
from postdeploy.guard.courtesy import Courtesy


def shared(path: Path, budget: Budget) -> Meter:
    """The meter of one process."""
    return open_meter(budget, path, shared=True)


def spend(path: Path, budget: Budget) -> list[float]:
    """Take from a meter until it is spent; when each request was let go."""
    meter = shared(path, budget)
    moments: list[float] = []
    while True:
        now = time.monotonic()
        try:
            pause = meter.take(now)
        except BudgetSpentError:
            return moments
        if pause:
            time.sleep(pause)
        else:
            moments.append(now)
            meter.give_back(10)


def test_processes_share_one_budget(tmp_path: Path) -> None:
    """So many requests in all, and no more in any second, over all of them."""
    budget = Budget(requests=40, per_second=20)
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        found = [pool.submit(spend, tmp_path / "b", budget) for _ in range(4)]
        moments = sorted(moment for each in found for moment in each.result())
    assert len(moments) == 40
    assert all(late - early >= 0.99 for early, late in zip(moments, moments[20:], strict=False))
    facts = shared(tmp_path / "b", budget).facts()
    assert 1 <= (facts.pop("peak_in_flight") or 0) <= 4
    assert 10 <= (facts.pop("peak_per_second") or 0) <= 20
    assert facts == {"requests": 40, "requests_allowed": 40, "bytes": 400, "bytes_allowed": None}


def test_so_many_in_flight(tmp_path: Path) -> None:
    """One that is given back makes room; so does a process that died."""
    meter = shared(tmp_path / "b", Budget(in_flight=2))
    assert [meter.take(0.0) > 0 for _ in range(3)] == [False, False, True]
    meter.give_back()
    assert meter.take(0.0) == 0
    child = os.fork()
    if not child:
        meter.give_back()
        shared(tmp_path / "b", Budget(in_flight=3)).take(0.0)
        os._exit(0)
    os.waitpid(child, 0)
    meter.give_back()
    assert meter.take(0.0) == 0
    assert meter.book.peak_flying >= 2


def test_bytes_are_spent_too(tmp_path: Path) -> None:
    """What came back counts."""
    meter = shared(tmp_path / "b", Budget(bytes=100))
    meter.take(0.0)
    meter.give_back(100)
    assert meter.spent == "100 bytes"
    with pytest.raises(BudgetSpentError, match="100 bytes"):
        meter.take(0.0)


def test_what_does_not_wait_is_counted(tmp_path: Path) -> None:
    """Such as a request of a page that a redirect sends on."""
    meter = shared(tmp_path / "b", Budget(requests=1))
    meter.note(0.0)
    assert (meter.book.requests, meter.spent) == (1, "1 requests")
    meter.close()
    meter.close()
    assert meter.facts()["requests"] == 1


def test_a_plea_reaches_every_process(tmp_path: Path) -> None:
    """What one process was asked holds for the other: the pause, and the end."""
    one, other = (Courtesy(lambda: 100.0, book=Book(tmp_path / "b"), jitter=lambda low, _: low) for _ in range(2))
    one.limited(99.0, 3.0)
    assert (other.pause(), other.stopped) == (3.0, None)
    other.limited(104.0, None)
    assert "again" in str(one.stopped)


def test_a_disk_without_room_is_told_of_at_once(tmp_path: Path) -> None:
    """What every run touches has its place on the disk: to touch a page that has none would kill the process."""
    book = Book(tmp_path / "book")
    assert (tmp_path / "book").stat().st_blocks * 512 >= 3 * 4096
    book.close()
    again = Book(tmp_path / "book")
    assert again.requests == 0
    again.close()
    with pytest.raises(OSError, match="No space left"):
        Book(Path("/dev/full"))
