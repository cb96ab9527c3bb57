"""``monitor.json``: how a target is as its monitor knows it, for people and for metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from postdeploy.documents import read_document
from postdeploy.domain.alert import Alert, AlertState, RunSeen
from postdeploy.domain.alerting import AlertPolicy
from postdeploy.domain.document import iso
from postdeploy.domain.mute import Mute
from postdeploy.errors import DocumentError

__all__ = ["MONITOR_FILE", "SCHEMA", "monitor_document", "was_counted"]

MONITOR_FILE: Final = "monitor.json"

SCHEMA: Final = "postdeploy/monitor/1"


def monitor_document(
    state: AlertState,
    policy: AlertPolicy,
    mutes: Sequence[Mute],
    *,
    now: float,
    place: str,
    heartbeat: str | None,
    problems: Iterable[str],
) -> dict[str, Any]:
    """The document; ``place`` is where the state is kept, ``heartbeat`` what became of it."""
    return {
        "schema": SCHEMA,
        "target": state.target,
        "written": iso(now),
        "run": _run(state.last) if state.last else None,
        "release": {"id": state.release, "since": _moment(state.released)},
        "streaks": {"passed": state.passes, "inconclusive": state.blind, "failed": state.fails},
        "recent": ["fail" if each.failed else "pass" for each in state.recent],
        "alerts": [_alert(alert) for alert in (state.outage, state.blindness) if alert is not None],
        "mutes": [{"reason": mute.reason, "until": _moment(mute.until)} for mute in mutes],
        "untold": len(state.outbox),
        "policy": {
            "after": f"{policy.failing} of {policy.of}",
            "recovery": policy.recovery,
            "remind": policy.remind,
            "blind": policy.blind,
        },
        "state": place,
        "heartbeat": heartbeat,
        "problems": list(problems),
    }


def was_counted(reports: Path, run_id: str) -> bool:
    """Whether the document in a reports folder is of this run."""
    try:
        return bool(read_document(reports / MONITOR_FILE)["run"]["id"] == run_id)
    except (DocumentError, KeyError, TypeError):
        return False


def _run(run: RunSeen) -> dict[str, Any]:
    about = run.to_json()
    return {"id": about.pop("id"), "finished": iso(about.pop("at"))} | about


def _alert(alert: Alert) -> dict[str, Any]:
    return alert.to_json() | {name: iso(getattr(alert, name)) for name in ("since", "opened", "told")}


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else iso(seconds)
