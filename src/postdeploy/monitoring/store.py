"""One change of the state of alerts at a time: in the history that monitors share, else in a file of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from postdeploy.domain.alert import AlertState
from postdeploy.domain.alert_outbox import reconciled
from postdeploy.domain.mute import Deploy
from postdeploy.errors import DocumentError, HistoryError, JournalError
from postdeploy.history.alerts import read_deploys, read_state, write_state
from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from postdeploy.monitoring.local_state import LocalState, exclusive

__all__ = ["PATIENCE", "Change", "Store"]

PATIENCE: Final = 5.0
"""Seconds that a history is waited for."""

Change = Callable[[AlertState, tuple[Deploy, ...]], AlertState]


class _Changed(NamedTuple):
    state: AlertState
    deploys: tuple[Deploy, ...]


class Store:
    """Where the alerts of one target are remembered.

    Args:
        place: the history; None if there is none.
        local: the file of this machine.
        warn: hears what is wrong; the state is then that of this machine.
    """

    def __init__(
        self, place: Place | None, local: Path, target: str, warn: Callable[[str], None], patience: float = PATIENCE
    ) -> None:
        self.shared = place is not None
        self._place = place
        self._local = local
        self._target = target
        self._warn = warn
        self._patience = patience

    def change(self, change: Change, now: float) -> AlertState:
        """The state after a change, which nobody else makes at the same time. It raises nothing but what that does."""
        try:
            with exclusive(self._local):
                return self._change(change, now)
        except OSError as error:
            self._warn(f"{self._local}: {error.strerror or error}")
            return self._change(change, now)

    def _change(self, change: Change, now: float) -> AlertState:
        local = self._read()
        changed = self._change_shared(change, local, now) if self.shared else None
        if changed is not None:
            kept = LocalState(changed.state, changed.state.version, changed.deploys)
        else:
            state = change(local.state or AlertState(self._target), local.deploys)
            kept = LocalState(state, local.base, local.deploys)
            changed = _Changed(state, local.deploys)
        try:
            kept.write(self._local, self._target, durable=not self.shared)
        except JournalError as error:
            self._warn(str(error))
        return changed.state

    def _read(self) -> LocalState:
        try:
            return LocalState.read(self._local, self._target)
        except DocumentError as error:
            self._warn(f"{error}; it is begun anew")
            return LocalState()

    def _change_shared(self, change: Change, local: LocalState, now: float) -> _Changed | None:
        """What came of it in the history; None if that is away, and then it is not asked again."""
        done: list[_Changed] = []
        failed: list[Exception] = []

        def work() -> None:
            try:
                done.append(self._in_history(change, local, now))
            except Exception as error:  # noqa: BLE001  # whatever it is, the state of this machine is there
                failed.append(error)

        thread = threading.Thread(target=work, daemon=True, name="postdeploy-alerts")
        thread.start()
        thread.join(self._patience)
        if done:
            return done[0]
        self.shared = False
        problem = failed[0] if failed else HistoryError(f"{self._place}: it did not answer within {self._patience:g} s")
        self._warn(f"alerts are kept by this machine alone for now: {problem}")
        return None

    def _in_history(self, change: Change, local: LocalState, now: float) -> _Changed:
        if self._place is None:  # pragma: no cover - the caller has looked
            raise AssertionError
        database = open_database(self._place, patience=self._patience / 2, create=True)
        try:
            with database.writing():
                before = reconciled(read_state(database, self._target), local.state, local.base)
                deploys = read_deploys(database, self._target, now)
                state = change(before or AlertState(self._target), deploys)
                write_state(database, state)
            return _Changed(state, deploys)
        finally:
            database.close()
