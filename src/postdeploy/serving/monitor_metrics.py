"""What is known of a monitor in numbers: its ticks, its alerts, what it has left of its error budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from postdeploy.documents import read_document
from postdeploy.domain.alert import AlertKind
from postdeploy.errors import DocumentError, HistoryError
from postdeploy.exporters.exposition import Family, Sample, labelled
from postdeploy.history.keeping import waiting
from postdeploy.history.slo import Objective
from postdeploy.serving.refreshed import BusyError

__all__ = ["alert_families", "monitor_families", "objective_families", "watch_families"]

WATCH_FILE: Final = "watch.json"
MONITOR_FILE: Final = "monitor.json"


def monitor_families(
    reports: Path, target: str, objective: Callable[[], Objective | None] | None = None
) -> Iterator[Family]:
    """What lies beside a verdict, and what a history says if there is one; what cannot be read is left out.

    Args:
        reports: the folder.
        target: its name.
        objective: asks the history; raises HistoryError or BusyError.
    """
    labels = labelled({"target": target})
    with suppress(DocumentError):
        yield from watch_families(read_document(reports / WATCH_FILE), labels)
    with suppress(DocumentError):
        yield from alert_families(read_document(reports / MONITOR_FILE), labels)
    if objective is None:
        return
    left = [Sample(labels, float(len(waiting(reports))))]
    yield Family("postdeploy_history_waiting_runs", "Runs that the history does not have yet.", left)
    try:
        found = objective()
    except BusyError:
        return
    except HistoryError:
        yield _history_up(labels, up=False)
        return
    yield _history_up(labels, up=True)
    yield from objective_families(found) if found else ()


def objective_families(objective: Objective) -> Iterator[Family]:
    """Availability, error budget and burn rates of a target."""
    about = {"target": objective.target, "objective": f"{100 * objective.wanted:g}", "days": str(objective.days)}
    if objective.availability is not None:
        share = [Sample(labelled(about), objective.availability)]
        yield Family("postdeploy_availability_ratio", "The share of decided runs that passed.", share)
    left = [Sample(labelled(about), objective.left)]
    yield Family("postdeploy_error_budget_left_ratio", "The share of the error budget that is left.", left)
    rates: dict[int, float] = {}
    for burn in objective.burns:
        rates |= {burn.minutes: burn.rate, burn.short_minutes: burn.short_rate}
    burns = [Sample(labelled(about | {"window": _window(time)}), rate) for time, rate in sorted(rates.items())]
    yield Family("postdeploy_error_budget_burn_rate", "How fast it burns: at 1 it lasts exactly its time.", burns)


def watch_families(facts: Mapping[str, Any], labels: str) -> Iterator[Family]:
    """What a resident monitor has written of itself."""
    for name, text, key in (
        ("runs_total", "Runs that came to their end.", "runs"),
        ("missed_ticks_total", "Ticks that had no run.", "missed"),
        ("lost_runs_total", "Runs that ended without a sealed verdict of their own.", "lost"),
    ):
        yield Family(f"postdeploy_monitor_{name}", text, _samples(facts.get(key), labels), "counter")
    last = facts.get("last") or {}
    for name, text, value in (
        ("interval_seconds", "Time between two ticks.", facts.get("every")),
        ("due_timestamp_seconds", "When the next tick is.", facts.get("due")),
        ("updated_timestamp_seconds", "When the monitor last wrote of itself.", facts.get("updated")),
        (
            "run_duration_seconds",
            "How long the last run took, with all that follows its verdict.",
            last.get("duration"),
        ),
        ("run_cpu_seconds", "Processor time of the last run.", last.get("cpu")),
    ):
        yield Family(f"postdeploy_monitor_{name}", text, _samples(value, labels))


def alert_families(state: Mapping[str, Any], labels: str) -> Iterator[Family]:
    """What the policy of alerts has come to."""
    alerts, mutes = state.get("alerts"), state.get("mutes")
    if not isinstance(alerts, list) or not isinstance(mutes, list):
        return
    kinds = [alert.get("kind") for alert in alerts if isinstance(alert, dict)]
    opened = [Sample(f'{labels},kind="{kind.value}"', float(kind.value in kinds)) for kind in AlertKind]
    yield Family("postdeploy_alert_open", "Whether such an alert is open.", opened)
    muted = [Sample(labels, float(bool(mutes)))]
    yield Family("postdeploy_alerts_muted", "Whether alerts are muted, such as by maintenance.", muted)
    untold = _samples(state.get("untold"), labels)
    yield Family("postdeploy_alerts_untold", "Messages that not all receivers have yet.", untold)


def _history_up(labels: str, *, up: bool) -> Family:
    return Family("postdeploy_history_up", "Whether the history can be read.", [Sample(labels, float(up))])


def _samples(value: object, labels: str) -> list[Sample]:
    """One sample of a number, none of anything else."""
    return [Sample(labels, float(value))] if isinstance(value, int | float) and not isinstance(value, bool) else []


def _window(minutes: int) -> str:
    """As Prometheus writes a time."""
    hours = minutes // 60
    if not hours:
        return f"{minutes}m"
    return f"{hours}h" if hours < 24 else f"{hours // 24}d"  # noqa: PLR2004  # hours of a day
