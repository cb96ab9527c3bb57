"""What monitors of a target share: the state of its alerts, and which deploys are going on or have just ended."""

from __future__ import annotations

import json
from typing import Final

from postdeploy.domain.alert import AlertState
from postdeploy.domain.mute import Deploy
from postdeploy.errors import HistoryError
from postdeploy.history.database import Database
from postdeploy.history.writing import number_target

__all__ = ["begin_deploy", "read_deploys", "read_state", "write_state"]

_FORGOTTEN: Final = 24 * 3_600_000
"""Milliseconds after which a deploy is looked at no more."""

_MOST: Final = 10


def read_state(database: Database, target: str) -> AlertState | None:
    """What is remembered of a target; None if nothing is. Raises HistoryError."""
    rows = database.rows(
        "SELECT state FROM alert_states JOIN targets USING (target_no) WHERE name = :name", name=target
    )
    if not rows:
        return None
    try:
        return AlertState.from_json(json.loads(rows[0][0]))
    except (KeyError, TypeError, ValueError) as error:
        raise HistoryError(f"the state of the alerts of {target} cannot be read: {error!r}") from error


def write_state(database: Database, state: AlertState) -> None:
    """Remember it; the caller has read the state before in the same transaction. Raises HistoryError."""
    database.execute(
        "INSERT INTO alert_states (target_no, state) VALUES (:target_no, :state) "
        "ON CONFLICT (target_no) DO UPDATE SET state = excluded.state",
        target_no=number_target(database, state.target),
        state=json.dumps(state.to_json()),
    )


def begin_deploy(database: Database, target: str, run_id: str, started: float) -> None:
    """Remember that a run after a deploy has begun, at this second since the epoch. Raises HistoryError."""
    moment = int(1000 * started)
    with database.writing():
        database.execute("DELETE FROM deploys WHERE started < :begin", begin=moment - 7 * _FORGOTTEN)
        database.execute(
            "INSERT INTO deploys (run_id, target_no, started) VALUES (:run_id, :target_no, :started) "
            "ON CONFLICT (run_id) DO NOTHING",
            run_id=run_id,
            target_no=number_target(database, target),
            started=moment,
        )


def read_deploys(database: Database, target: str, now: float) -> tuple[Deploy, ...]:
    """The last runs after a deploy, those that are going on first. Raises HistoryError."""
    about = {"name": target, "begin": int(1000 * now) - _FORGOTTEN, "most": _MOST}
    going = database.rows(
        "SELECT d.run_id, d.started FROM deploys d JOIN targets t USING (target_no) "
        "LEFT JOIN runs r ON r.run_id = d.run_id WHERE t.name = :name AND d.started >= :begin AND r.run_no IS NULL "
        "ORDER BY d.started DESC LIMIT :most",
        **about,
    )
    ended = database.rows(
        "SELECT run_id, started, finished FROM runs JOIN targets USING (target_no) WHERE name = :name "
        "AND started >= :begin AND mode = 'gate' AND expected IS NOT NULL ORDER BY started DESC LIMIT :most",
        **about,
    )
    return (
        *(Deploy(run_id, started / 1000) for run_id, started in going),
        *(Deploy(run_id, started / 1000, finished / 1000) for run_id, started, finished in ended),
    )
