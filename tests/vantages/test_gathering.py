"""Who is asked, who is waited for, who is lost: with a cluster of words and a clock that is turned by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from postdeploy.errors import VantageError
from postdeploy.vantages.gathering import Answer, Limits, Order, gather_runs

_REPORTS = json.dumps({"reports": {"verdict.json": ""}}).encode()


class _Worker(NamedTuple):
    vantages: frozenset[str]
    last_seen: float


@dataclass
class _Cluster:
    """Workers by name with their vantage; each answers after some seconds, is lost or silent at a time."""

    offers: dict[str, str]
    answers: dict[str, tuple[float, bytes | str]] = field(default_factory=dict)
    lost: dict[str, float] = field(default_factory=dict)
    silent: dict[str, float] = field(default_factory=dict)
    comes: dict[str, float] = field(default_factory=dict)
    gone: float = 1e9
    now: float = 0.0
    sent: list[tuple[str, str]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def workers(self) -> dict[str, _Worker]:
        if self.now >= self.gone:
            raise OSError("closed")
        there = {name: vantage for name, vantage in self.offers.items()
                 if self.comes.get(name, 0.0) <= self.now < self.lost.get(name, 1e9)}  # fmt: skip
        return {name: _Worker(frozenset({vantage}), min(self.now, self.silent.get(name, 1e9)))
                for name, vantage in there.items()}  # fmt: skip

    def send(self, order: bytes, vantage: str, address: str, key: str) -> tuple[str, float, str]:
        assert self.offers[address] == vantage
        self.sent.append((address, key))
        self.orders.append(json.loads(order))
        return address, self.now, key

    def answer(self, future: tuple[str, float, str]) -> bytes | None:
        address, since, _ = future
        after, came = self.answers.get(address, (1e9, b""))
        if self.now < since + after or self.now >= self.lost.get(address, 1e9):
            return None
        if isinstance(came, str):
            raise VantageError(came)
        return came

    def cancel(self, future: tuple[str, float, str]) -> None:
        self.cancelled.append(future[2])

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _gathered(cluster: _Cluster, *names: str, wall_clock: float = 100.0) -> dict[str, Answer]:
    order = Order("run", lambda name, run_id, left: json.dumps({"at": name, "id": run_id, "left": left}).encode())
    limits = Limits(wall_clock, wait=10.0, silence=5.0)
    return gather_runs(names, cluster, order, limits, lambda: cluster.now, cluster.sleep)


def _lost(answer: Answer) -> tuple[str, str]:
    assert answer.lost is not None
    return answer.lost.reason, answer.lost.message


def test_each_vantage_once() -> None:
    """All at the same time, each by one of its workers, under a name of its own."""
    cluster = _Cluster({"a": "eu", "b": "us", "c": "us"}, dict.fromkeys("abc", (9.0, _REPORTS)))
    found = _gathered(cluster, "eu", "us")
    assert cluster.sent == [("a", "run.eu.1"), ("b", "run.us.1")]
    assert {name: (answer.run_id, answer.lost) for name, answer in found.items()} == {
        "eu": ("run.eu.1", None),
        "us": ("run.us.1", None),
    }
    assert (cluster.now, cluster.cancelled) == (9.0, [])


def test_a_lost_worker_is_replaced_by_another() -> None:
    """Which has what is left of the wall clock; the first one counts no more."""
    cluster = _Cluster({"a": "eu", "b": "eu"}, {"b": (5.0, _REPORTS)}, lost={"a": 20.0})
    assert _gathered(cluster, "eu")["eu"].run_id == "run.eu.2"
    assert [order["left"] for order in cluster.orders] == [100.0, pytest.approx(80.0, abs=1)]
    assert cluster.cancelled == ["run.eu.1"]


def test_a_lost_worker_is_not_asked_again() -> None:
    """Not even if it comes back under the same address: nobody knows what it has done already."""
    cluster = _Cluster({"a": "eu"}, {"a": (5.0, "it broke")})
    assert _lost(_gathered(cluster, "eu")["eu"]) == ("worker_lost", "it broke")
    assert cluster.sent == [("a", "run.eu.1")]


def test_no_second_attempt_without_time() -> None:
    """Half of the wall clock is needed; and there is never a third."""
    late = _Cluster({"a": "eu", "b": "eu"}, {"b": (5.0, _REPORTS)}, lost={"a": 60.0})
    assert _lost(_gathered(late, "eu")["eu"]) == ("worker_lost", "the worker at a was lost")
    thrice = _Cluster({"a": "eu", "b": "eu", "c": "eu"}, {"c": (1.0, _REPORTS)}, lost={"a": 5.0, "b": 9.0})
    assert _lost(_gathered(thrice, "eu")["eu"]) == ("worker_lost", "the worker at b was lost")


def test_a_worker_that_is_silent() -> None:
    """Its machine may be cut off: it is lost although the scheduler still has it."""
    cluster = _Cluster({"a": "eu"}, silent={"a": 30.0})
    assert _lost(_gathered(cluster, "eu")["eu"]) == ("worker_lost", "the worker at a has been silent for 5 s")
    assert cluster.now < 40


def test_a_worker_that_comes_late_and_one_that_does_not() -> None:
    """They are waited for, for a while."""
    cluster = _Cluster({"a": "eu"}, {"a": (1.0, _REPORTS)}, comes={"a": 8.0})
    found = _gathered(cluster, "eu", "us")
    assert found["eu"].lost is None
    assert _lost(found["us"]) == ("worker_lost", "no worker offers vantage-us")


def test_the_wall_clock() -> None:
    """What has not come by then does not count."""
    cluster = _Cluster({"a": "eu"})
    assert _lost(_gathered(cluster, "eu")["eu"]) == ("deadline_exceeded", "no run came back within its wall clock")
    assert (cluster.now, cluster.cancelled) == (100.0, ["run.eu.1"])


def test_the_scheduler_is_gone() -> None:
    """What came before counts; the rest is lost."""
    cluster = _Cluster({"a": "eu", "b": "us"}, {"a": (1.0, _REPORTS)}, gone=5.0)
    found = _gathered(cluster, "eu", "us")
    assert found["eu"].lost is None
    assert _lost(found["us"]) == ("worker_lost", "the scheduler is gone: closed")


@pytest.mark.parametrize(
    ("came", "words"),
    [
        (b"\x80\x04", "what came back cannot be read"),
        (b"[]", "what came back cannot be read"),
        (b"{}", "no reports came back"),
        (b'{"problem": "no folder"}', "no folder"),
    ],
    ids=["pickle", "list", "nothing", "problem"],
)
def test_what_came_is_no_report(came: bytes, words: str) -> None:
    """It is told, and not tried again: another worker would say the same."""
    reason, message = _lost(_gathered(_Cluster({"a": "eu"}, {"a": (1.0, came)}), "eu")["eu"])
    assert (reason, words in message) == ("incomplete", True)
