"""From the verdict of a run to what it means to the alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from postdeploy.domain.alert import RunSeen
from postdeploy.domain.verdict import Reason

__all__ = ["run_seen"]

_FAILING: Final = frozenset({"failed", "blocked"})

_MOST: Final = 200
"""Checks of a run that are remembered as failing; where more fail, nobody asks which one is new."""


def run_seen(document: Mapping[str, Any], now: float) -> RunSeen:
    """What a verdict says, also of a run that never finished: then nobody can tell. Raises KeyError, TypeError."""
    run, causes = document["run"], document.get("causes") or ()
    sealed = document["state"] == "sealed"
    return RunSeen(
        id=str(run["id"]),
        at=datetime.fromisoformat(run["finished"]).timestamp() if sealed and run.get("finished") else now,
        verdict=_verdict(document) if sealed else "inconclusive",
        reason=str(document["reason"]),
        summary=str(document["summary"]),
        checks=_failing(document.get("checks") or ()),
        cause=str(causes[0]["summary"]) if causes else str(document["summary"]) if _is_down(document) else None,
        release=_release(document["release"]),
        link=(run.get("ci") or {}).get("url"),
    )


def _verdict(document: Mapping[str, Any]) -> str:
    """The verdict; but a target of which nothing answers is an outage to people, while we are well.

    After a deploy nobody can tell such a target from one that is not there yet, without a control URL.
    """
    return "fail" if _is_down(document) else str(document["verdict"])


def _is_down(document: Mapping[str, Any]) -> bool:
    services = (document.get("services") or {}).values()
    down = bool(services) and not any(service["live"] or not service["target_fault"] for service in services)
    return down and document["reason"] == Reason.TARGET_NOT_LIVE


def _failing(checks: Any) -> dict[str, str]:
    """What failed, without what the verdict does not follow from, as long as something is left."""
    failing = [check for check in checks if check["outcome"] in _FAILING]
    counts = [check for check in failing if check.get("severity") != "minor" and not check.get("quarantine")]
    return {str(check["id"]): str(check["name"]) for check in (counts or failing)[:_MOST]}


def _release(release: Mapping[str, Any]) -> str | None:
    """What answered when the checks began, if all services said the same; else what was expected."""
    seen = set((release.get("observed") or {}).values())
    return str(seen.pop()) if len(seen) == 1 else release["expected"]
