"""When people are told: k of n runs open an alert, a few passes close it, and nobody hears the same twice.

Pure: the state before, a run, and the moment give the state after, with what is to be told in its outbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from postdeploy.domain.alert import Alert, AlertKind, AlertState, Event, EventKind, Recent, RunSeen
from postdeploy.domain.mute import DeployMute, Mute, Window
from postdeploy.lazy_dataclass import dataclass, replace

__all__ = ["AlertPolicy", "advance", "passes_needed"]

_RUNS: Final = 60
"""Ids of runs that are remembered, so that none counts twice."""

_CALM: Final = 20
"""Runs after an outage within which another one is the same coming back."""

_TURNS: Final = 3
"""How often the passes that end an outage are doubled while it keeps coming back."""


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """When people are told.

    Args:
        failing: how many of the last ``of`` runs that could tell have to fail before an alert.
        recovery: how many passes in a row end it.
        remind: seconds between two reminders; None: no reminders.
        blind: how many runs in a row have to be unable to tell before that is an alert of its own.
        windows: maintenance by schedule.
        deploys: how long a deploy mutes; None: it does not.
    """

    failing: int = 2
    of: int = 3
    recovery: int = 2
    remind: float | None = 4 * 3600.0
    blind: int = 5
    windows: tuple[Window, ...] = ()
    deploys: DeployMute | None = DeployMute()


def advance(state: AlertState, run: RunSeen, policy: AlertPolicy, mutes: Sequence[Mute]) -> AlertState:
    """The state after a run; a run that was counted before changes nothing."""
    if run.id in state.runs:
        return state
    state = _remembered(state, run)
    muted = bool(mutes)
    state = _unseen(state, run) if run.verdict == "inconclusive" else _seen(state, run, policy, muted=muted)
    return _blindness(_outage(state, run, policy, muted=muted), run, policy, muted=muted)


def passes_needed(alert: Alert, policy: AlertPolicy) -> int:
    """How many passes in a row end an alert: twice as many each time that it has come back soon."""
    return policy.recovery << min(alert.turns, _TURNS)


def _remembered(state: AlertState, run: RunSeen) -> AlertState:
    state = replace(state, version=state.version + 1, last=run, runs=(*state.runs, run.id)[-_RUNS:])
    if run.release is not None and run.release != state.release:
        state = replace(state, release=run.release, released=run.at)
    return state


def _unseen(state: AlertState, run: RunSeen) -> AlertState:
    since = run.at if state.blind == 0 else state.blind_since
    return replace(state, blind=state.blind + 1, blind_since=since, seeing=0)


def _seen(state: AlertState, run: RunSeen, policy: AlertPolicy, *, muted: bool) -> AlertState:
    failed = run.verdict == "fail"
    # What failed in maintenance and then passed is explained: it is no reason to alert for what fails afterwards.
    kept = state.recent if failed else tuple(each for each in state.recent if not (each.failed and each.muted))
    recent = (*kept, Recent(failed, run.checks if failed else {}, muted))[-max(policy.of, policy.recovery) :]
    state = replace(
        state,
        recent=recent,
        passes=0 if failed else state.passes + 1,
        fails=state.fails + 1 if failed else 0,
        blind=0,
        blind_since=None,
        seeing=state.seeing + 1,
        calm=None if state.calm is None else state.calm + 1,
    )
    if failed:
        since = run.at if state.since is None else state.since
        return replace(state, since=since, failures=state.failures + 1)
    over = state.outage is None and not any(each.failed for each in recent[-policy.of :])
    return replace(state, since=None, failures=0) if over else state


def _outage(state: AlertState, run: RunSeen, policy: AlertPolicy, *, muted: bool) -> AlertState:
    alert = state.outage
    if alert is None:
        return state if muted else _opened(state, run, policy)
    alert = replace(alert, runs=state.failures, checks=_still(alert.checks, state, policy))
    if run.verdict == "pass":
        if state.passes < passes_needed(alert, policy):
            return replace(state, outage=alert)
        over = replace(state, outage=None, recent=(), since=None, failures=0, calm=0)
        return _told(over, EventKind.RECOVERED, run, alert)
    if muted:
        return replace(state, outage=alert)
    more = {check: name for check, name in _failing(state, policy).items() if check not in alert.checks}
    if run.verdict == "fail" and more:
        alert = replace(alert, told=max(alert.told, run.at), checks={**alert.checks, **more})
        return _told(replace(state, outage=alert), EventKind.SPREAD, run, alert, more)
    return _reminded(replace(state, outage=alert), run, alert, policy)


def _opened(state: AlertState, run: RunSeen, policy: AlertPolicy) -> AlertState:
    last = state.recent[-policy.of :]
    if run.verdict != "fail" or sum(each.failed for each in last) < policy.failing:
        return state
    alert = Alert(
        AlertKind.OUTAGE,
        id=run.id,
        since=run.at if state.since is None else state.since,
        opened=run.at,
        told=run.at,
        runs=state.failures,
        checks={check: name for each in reversed(last) for check, name in each.checks.items()},
        cause=run.cause,
        turns=state.turns + 1 if state.calm is not None and state.calm <= _CALM else 0,
        link=run.link,
    )
    return _told(replace(state, outage=alert, turns=alert.turns), EventKind.OPENED, run, alert, alert.checks)


def _failing(state: AlertState, policy: AlertPolicy) -> dict[str, str]:
    """The checks that would be an alert each by itself."""
    last = [each.checks for each in state.recent[-policy.of :]]
    return {
        check: name
        for checks in last
        for check, name in checks.items()
        if sum(check in each for each in last) >= policy.failing
    }


def _still(checks: Mapping[str, str], state: AlertState, policy: AlertPolicy) -> dict[str, str]:
    """The checks of an alert without those that have been well for long enough, as long as one is left."""
    last = state.recent[-policy.recovery :]
    left = {check: name for check, name in checks.items() if any(check in each.checks for each in last)}
    return left if left and len(last) == policy.recovery else dict(checks)


def _blindness(state: AlertState, run: RunSeen, policy: AlertPolicy, *, muted: bool) -> AlertState:
    alert = state.blindness
    if alert is None:
        if muted or state.blind < policy.blind:
            return state
        since = run.at if state.blind_since is None else state.blind_since
        begun = Alert(AlertKind.BLIND, run.id, since, run.at, run.at, runs=state.blind, link=run.link)
        alert = replace(begun, cause=run.summary)
        return _told(replace(state, blindness=alert), EventKind.OPENED, run, alert)
    if state.seeing >= policy.recovery:
        return _told(replace(state, blindness=None), EventKind.RECOVERED, run, alert)
    if run.verdict != "inconclusive":
        return state
    alert = replace(alert, runs=alert.runs + 1)
    state = replace(state, blindness=alert)
    return state if muted else _reminded(state, run, alert, policy)


def _reminded(state: AlertState, run: RunSeen, alert: Alert, policy: AlertPolicy) -> AlertState:
    if policy.remind is None or run.at - alert.told < policy.remind:
        return state
    alert = replace(alert, told=run.at)
    outage = alert.kind is AlertKind.OUTAGE
    state = replace(state, outage=alert) if outage else replace(state, blindness=alert)
    return _told(state, EventKind.REMINDER, run, alert)


def _told(
    state: AlertState, kind: EventKind, run: RunSeen, alert: Alert, checks: Mapping[str, str] | None = None
) -> AlertState:
    event = Event(kind, run.at, run, alert, checks or {})
    return state if event.id in state.told else replace(state, outbox=(*state.outbox, event))
