"""One run at each vantage, at the same time: who is asked, who is waited for, and who is lost.

A run is given to one worker and to no other. Where that worker is lost, another one of the vantage may be asked for a
run of its own, under a name of its own; dask itself repeats nothing. So one vantage never has two answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from postdeploy.domain.evidence import Incident
from postdeploy.domain.verdict import Reason
from postdeploy.errors import VantageError
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["Answer", "Limits", "Order", "Workers", "gather_runs"]

_MOST_ATTEMPTS: Final = 2
_WORTH_IT: Final = 0.5
"""The share of its wall clock that a vantage must have left for a second attempt."""


class Worker(Protocol):
    """What is asked of a worker."""

    @property
    def vantages(self) -> frozenset[str]:
        """The vantages that it offers."""

    @property
    def last_seen(self) -> float:
        """When the scheduler last heard of it; only whether it changes is looked at."""


class Workers(Protocol):
    """What is asked of a cluster."""

    def workers(self) -> Mapping[str, Worker]:
        """All workers by address. Raises OSError."""

    def send(self, order: bytes, vantage: str, address: str, key: str) -> Any:
        """Have one worker carry out an order."""

    def answer(self, future: Any) -> bytes | None:
        """What came back; None as long as nothing has. Raises VantageError."""

    def cancel(self, future: Any) -> None:
        """Do not wait for it any more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: ``wall_clock`` of each vantage, ``wait`` for a worker of it, ``silence`` of one that makes it lost."""

    wall_clock: float
    wait: float = 30.0
    silence: float = 20.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: makes the bytes of an order from a vantage, the id of its run, and the seconds it has."""

    run_id: str
    written: Callable[[str, str, float], bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one vantage: the files of its reports under a run's id, or why nothing did."""

    run_id: str = ""
    reports: Mapping[str, str] = field(default_factory=dict)
    lost: Incident | None = None


@dataclass(frozen=True, slots=True)
class _Glance:
    """What is there at a moment (of a monotonic clock), and how many seconds the runs have from then on."""

    cluster: Workers
    workers: Mapping[str, Worker]
    order: Order
    limits: Limits
    now: float
    left: float


class _Vantage:
    """One vantage while it is waited for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.attempts: list[str] = []
        self.address = ""
        self.future: Any = None
        self.heard = (0.0, 0.0)
        self.trouble = ""


def gather_runs(
    names: tuple[str, ...],
    cluster: Workers,
    order: Order,
    limits: Limits,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> dict[str, Answer]:
    """What came back from each vantage; returns after the wall clock at the latest. ``clock`` is monotonic."""
    begun = clock()
    open_, answers = {name: _Vantage(name) for name in names}, dict[str, Answer]()
    while open_:
        left = limits.wall_clock - (clock() - begun)
        try:
            workers = cluster.workers()
        except OSError as error:
            answers |= {name: _lost(Reason.WORKER_LOST, f"the scheduler is gone: {error}") for name in open_}
            break
        glance = _Glance(cluster, workers, order, limits, clock(), left)
        for name in tuple(open_):
            answer = _look(open_[name], glance)
            if answer is not None:
                answers[name] = answer
                if answer.lost and open_[name].future is not None:
                    cluster.cancel(open_[name].future)
                del open_[name]
        if open_:
            sleep(0.25)
    return {name: answers[name] for name in names}


def _lost(reason: Reason, text: str) -> Answer:
    return Answer(lost=Incident(reason.value, text))


def _look(vantage: _Vantage, glance: _Glance) -> Answer | None:
    """The answer of a vantage, or None as long as there is a point in waiting."""
    if vantage.future is not None:
        try:
            came = glance.cluster.answer(vantage.future)
        except VantageError as error:
            return _again(vantage, str(error), glance)
        if came is not None:
            return _read(vantage, came)
        trouble = _trouble(vantage, glance)
        if trouble:
            return _again(vantage, trouble, glance)
    if glance.left <= 0:
        return _lost(Reason.DEADLINE_EXCEEDED, vantage.trouble or "no run came back within its wall clock")
    if vantage.future is None:
        return _begin(vantage, glance)
    return None


def _begin(vantage: _Vantage, glance: _Glance) -> Answer | None:
    """Give the run to a worker that offers the vantage, but to none that was lost with it before."""
    workers, order, limits = glance.workers, glance.order, glance.limits
    offering = sorted(a for a, each in workers.items() if vantage.name in each.vantages and a != vantage.address)
    if not offering:
        if vantage.attempts or limits.wall_clock - glance.left >= limits.wait:
            return _lost(Reason.WORKER_LOST, vantage.trouble or f"no worker offers vantage-{vantage.name}")
        return None
    run_id = f"{order.run_id}.{vantage.name}.{len(vantage.attempts) + 1}"
    vantage.attempts.append(run_id)
    vantage.address = offering[0]
    vantage.heard = (workers[vantage.address].last_seen, glance.now)
    written = order.written(vantage.name, run_id, glance.left)
    vantage.future = glance.cluster.send(written, vantage.name, vantage.address, run_id)
    return None


def _trouble(vantage: _Vantage, glance: _Glance) -> str | None:
    """Why nothing will come from the worker that was asked, or None."""
    worker = glance.workers.get(vantage.address)
    if worker is None:
        return f"the worker at {vantage.address} was lost"
    seen, since = vantage.heard
    if worker.last_seen != seen:
        vantage.heard = (worker.last_seen, glance.now)
    elif glance.now - since > glance.limits.silence:
        return f"the worker at {vantage.address} has been silent for {glance.now - since:.0f} s"
    return None


def _again(vantage: _Vantage, trouble: str, glance: _Glance) -> Answer | None:
    """Nothing comes of this attempt; another worker may have time for a whole one."""
    vantage.trouble = trouble
    if len(vantage.attempts) >= _MOST_ATTEMPTS or glance.left < glance.limits.wall_clock * _WORTH_IT:
        return _lost(Reason.WORKER_LOST, trouble)
    glance.cluster.cancel(vantage.future)
    vantage.future = None
    return None


def _read(vantage: _Vantage, came: bytes) -> Answer:
    try:
        told = json.loads(came)
        problem, reports = told.get("problem"), told.get("reports")
    except (ValueError, AttributeError) as error:
        return _lost(Reason.INCOMPLETE, f"what came back cannot be read: {error}")
    if not isinstance(reports, dict):
        return _lost(Reason.INCOMPLETE, str(problem or "no reports came back"))
    return Answer(vantage.attempts[-1], reports)
