"""After a scheduled run: count it among the others, tell whoever is to be told, and write down how the target is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from postdeploy.config.alerts import Monitoring, load_monitoring
from postdeploy.config.receivers import load_receivers
from postdeploy.documents import write_document
from postdeploy.domain.alert import AlertState, RunSeen
from postdeploy.domain.alert_outbox import claimed, heard
from postdeploy.domain.alerting import AlertPolicy, advance
from postdeploy.domain.mute import Deploy, Mute, find_mutes
from postdeploy.domain.receiver import Receiver
from postdeploy.errors import ConfigurationError, JournalError
from postdeploy.history.place import Place
from postdeploy.monitoring.document import MONITOR_FILE, monitor_document
from postdeploy.monitoring.heartbeat import beat
from postdeploy.monitoring.local_state import place_of
from postdeploy.monitoring.seen import run_seen
from postdeploy.monitoring.store import Store
from postdeploy.monitoring.telling import LONGEST, Send, tell_events
from postdeploy.notify.sender import send_all

__all__ = ["Watch", "after_run"]

_ROUNDS: Final = 3
"""How often it is looked whether another monitor has left something to tell while this one was telling."""


class Watch:
    """The alerts of one target: counts runs, and tells.

    Args:
        store: where its state is.
        receivers: who is told.
        send: tells them.
    """

    def __init__(
        self,
        store: Store,
        policy: AlertPolicy,
        receivers: Sequence[Receiver],
        warn: Callable[[str], None],
        send: Send = send_all,
    ) -> None:
        self.mutes: tuple[Mute, ...] = ()
        self._store = store
        self._policy = policy
        self._receivers = receivers
        self._warn = warn
        self._send = send

    def count(self, run: RunSeen, now: float) -> AlertState:
        """The state after a run, which people have been told of, but for those that could not be."""
        state = self._store.change(lambda before, deploys: self._counted(before, deploys, run, now), now)
        for _ in range(_ROUNDS):
            if not state.outbox or state.lease is None or state.lease.by != run.id:
                break
            told, problems = tell_events(state, self._receivers, send=self._send)
            for problem in problems:
                self._warn(f"not told, and tried again after the next run: {problem}")
            before = {event.id for event in state.outbox}
            state = self._store.change(lambda state, _: self._heard(state, run.id, told, before, now), now)  # noqa: B023
        return state

    def _counted(self, state: AlertState, deploys: tuple[Deploy, ...], run: RunSeen, now: float) -> AlertState:
        self.mutes = find_mutes(now, self._policy.windows, deploys, self._policy.deploys)
        state = advance(state, run, self._policy, self.mutes)
        return (state.outbox and claimed(state, run.id, now, LONGEST)) or state

    def _heard(
        self, state: AlertState, by: str, told: Mapping[str, list[str]], seen: set[str], now: float
    ) -> AlertState:
        """What was told is done; what came meanwhile is still to be told by this process."""
        lease = state.lease
        state = heard(state, by, told, [receiver.name for receiver in self._receivers], now)
        new = any(event.id not in seen for event in state.outbox)
        return (new and lease is not None and lease.by == by and claimed(state, by, now, LONGEST)) or state


def after_run(
    document: Mapping[str, Any],
    *,
    target: str,
    targets: Path,
    reports: Path,
    history: Place | None,
    warn: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Do all that follows from the verdict of a scheduled run; nothing of it can change the verdict.

    What goes wrong is told to ``warn``. Returns what was written to ``monitor.json`` in the reports folder.
    """
    problems: list[str] = []

    def tell_wrong(text: str) -> None:
        problems.append(text)
        warn(text)

    monitoring, receivers = _configured(targets, target, environment, tell_wrong)
    store = Store(history, place_of(reports), target, tell_wrong)
    watch = Watch(store, monitoring.policy, receivers, tell_wrong)
    state = watch.count(run_seen(document, clock()), clock())
    beaten = _beat(monitoring, tell_wrong)
    found = monitor_document(
        state,
        monitoring.policy,
        watch.mutes,
        now=clock(),
        place="history" if store.shared else "local",
        heartbeat=beaten,
        problems=problems,
    )
    try:
        write_document(reports / MONITOR_FILE, found)
    except JournalError as error:
        warn(str(error))
    return found


def _configured(
    targets: Path, target: str, environment: Mapping[str, str], warn: Callable[[str], None]
) -> tuple[Monitoring, Sequence[Receiver]]:
    """What targets.yaml says; where it cannot be read, runs are counted all the same."""
    try:
        monitoring = load_monitoring(targets, target, environment)
        receivers, wrong = load_receivers(targets, target, environment)
    except ConfigurationError as error:
        warn(f"nobody can be told: {str(error).splitlines()[0]}")
        return Monitoring(), ()
    for problem in (*monitoring.problems, *wrong):
        warn(str(problem))
    return monitoring, receivers


def _beat(monitoring: Monitoring, warn: Callable[[str], None]) -> str | None:
    """What became of the heartbeat: ``sent``, ``failed``, or None where there is none."""
    if monitoring.heartbeat is None:
        return None
    problem = beat(monitoring.heartbeat)
    if problem is not None:
        warn(f"the heartbeat was not heard: {problem}")
    return "failed" if problem else "sent"
