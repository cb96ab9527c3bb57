"""Who tells what is to be told, who has heard it, and which of two states is to be believed: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import Final

from postdeploy.domain.alert import Alert, AlertState, Event, EventKind, Lease
from postdeploy.lazy_dataclass import replace

__all__ = ["claimed", "heard", "left_for", "reconciled"]

_KEPT: Final = 24 * 3600.0
"""Seconds after which nobody is told any more what could not be told."""

_TOLD: Final = 60
"""Ids of events that are remembered, so that nobody hears the same twice."""


def claimed(state: AlertState, by: str, now: float, seconds: float) -> AlertState | None:
    """The state in which a process tells people for so many seconds; None while another one does."""
    lease = state.lease
    if lease is not None and lease.by != by and now < lease.until <= now + seconds:
        return None
    return replace(state, lease=Lease(by, now + seconds))


def left_for(state: AlertState, receiver: str) -> tuple[Event, ...]:
    """What a receiver has not heard yet, oldest first, without reminders that later news have overtaken."""
    left = [event for event in state.outbox if receiver not in event.heard]
    later = {event.alert.id: number for number, event in enumerate(left)}
    return tuple(
        event
        for number, event in enumerate(left)
        if event.kind is not EventKind.REMINDER or later[event.alert.id] == number
    )


def heard(
    state: AlertState, by: str, news: Mapping[str, Collection[str]], receivers: Collection[str], now: float
) -> AlertState:
    """The state after telling: ``news`` are names of receivers by the id of an event; whoever told is done with it."""
    marked = [replace(event, heard=_union(event.heard, news.get(event.id, ()))) for event in state.outbox]
    state = replace(state, outbox=tuple(marked))
    done = {event.id for event in marked if now - event.at > _KEPT or _is_done(state, event, receivers)}
    lease = None if state.lease is not None and state.lease.by == by else state.lease
    return _without(replace(state, lease=lease), done)


def reconciled(shared: AlertState | None, local: AlertState | None, base: int) -> AlertState | None:
    """The state to go on with after the shared one was away; ``base`` is its version that the local one began with.

    Where nobody else has gone on meanwhile, the local one is newer. Otherwise the shared one counts, with what is open
    or untold in the local one, so that everything that was told to begin is told to end.
    """
    if shared is None or local is None:
        return shared or local
    alone = shared.version <= base < local.version
    chosen, other = (local, shared) if alone else (shared, local)
    outbox, told = _merged(chosen.outbox, other.outbox), _union(other.told, chosen.told)
    merged = replace(chosen, outbox=tuple(outbox), told=told[-_TOLD:], lease=shared.lease)
    if not alone:
        merged = replace(
            merged,
            outage=shared.outage or _unknown(local.outage, shared),
            blindness=shared.blindness or _unknown(local.blindness, shared),
            runs=_union(local.runs, shared.runs),
        )
    return _without(merged, merged.told)


def _unknown(alert: Alert | None, state: AlertState) -> Alert | None:
    """An alert that a state has never heard of; one that it knew is over for a reason."""
    if alert is None or alert.id in state.runs or alert.end in state.told:
        return None
    return alert


def _is_done(state: AlertState, event: Event, receivers: Iterable[str]) -> bool:
    return not any(event in left_for(state, receiver) for receiver in receivers)


def _without(state: AlertState, done: Collection[str]) -> AlertState:
    outbox = tuple(event for event in state.outbox if event.id not in done)
    told = _union(state.told, (event.id for event in state.outbox if event.id in done))
    return replace(state, outbox=outbox, told=told[-_TOLD:])


def _merged(first: Iterable[Event], second: Iterable[Event]) -> list[Event]:
    found: dict[str, Event] = {}
    for event in chain(first, second):
        known = found.get(event.id)
        found[event.id] = replace(event, heard=_union(known.heard, event.heard)) if known else event
    return sorted(found.values(), key=lambda event: event.at)


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain(first, second)))
