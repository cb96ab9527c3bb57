"""What holds of alerts whatever happens."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from postdeploy.domain.alert import AlertKind, AlertState, Event, EventKind
from postdeploy.domain.alert_outbox import heard
from postdeploy.domain.alerting import AlertPolicy, advance
from postdeploy.domain.mute import Mute
from tests.domain.alert_runs import MINUTE, START, run

policies = st.builds(
    lambda failing, more, recovery, remind, blind: AlertPolicy(failing, failing + more, recovery, remind, blind),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(1, 4),
    st.none() | st.integers(1, 20).map(lambda minutes: minutes * MINUTE),
    st.integers(1, 5),
)
letters = st.text(st.sampled_from("....aaab??"), max_size=60)
stretches = st.lists(st.tuples(st.sampled_from(".ab?"), st.integers(1, 15)), max_size=10).map(
    lambda parts: "".join(letter * times for letter, times in parts)
)
weeks = letters | stretches
quiet = st.sets(st.integers(0, 59), max_size=30)


def events(week: str, policy: AlertPolicy, muted: set[int]) -> tuple[AlertState, list[Event]]:
    """Everything that was told of a run a minute."""
    state, told = AlertState("site"), list[Event]()
    for number, letter in enumerate(week):
        state = advance(state, run(letter, number), policy, (Mute("maintenance"),) if number in muted else ())
        told += state.outbox
        state = heard(state, "me", {event.id: ["team"] for event in state.outbox}, ["team"], START + MINUTE * number)
        assert not state.outbox
    return state, told


def minute(event: Event) -> int:
    """When it was told."""
    return round((event.at - START) / MINUTE)


@settings(max_examples=60)
@given(weeks, policies, quiet)
def test_whatever_is_opened_is_over_once(week: str, policy: AlertPolicy, muted: set[int]) -> None:
    """No event is told twice; an alert is opened once and is over at most once, and it is open until then."""
    state, told = events(week, policy, muted)
    assert max(Counter(event.id for event in told).values(), default=1) == 1
    for kind, still in ((AlertKind.OUTAGE, state.outage), (AlertKind.BLIND, state.blindness)):
        turns = [event for event in told if event.alert.kind is kind and event.kind in {"opened", "recovered"}]
        assert [event.kind for event in turns] == (["opened", "recovered"] * len(turns))[: len(turns)]
        assert all(one.alert.id == two.alert.id for one, two in zip(turns[::2], turns[1::2], strict=False))
        assert bool(len(turns) % 2) is (still is not None)


@settings(max_examples=60)
@given(weeks, policies, quiet)
def test_no_alert_without_k_of_n(week: str, policy: AlertPolicy, muted: set[int]) -> None:
    """An outage opens at a run that failed, with as many failures among the last runs that could tell as it takes."""
    for event in events(week, policy, muted)[1]:
        if event.kind is EventKind.OPENED and event.alert.kind is AlertKind.OUTAGE:
            last = [letter for letter in week[: minute(event) + 1] if letter != "?"][-policy.of :]
            assert last[-1] in "ab"
            assert sum(letter in "ab" for letter in last) >= policy.failing
            assert minute(event) not in muted


@settings(max_examples=60)
@given(weeks, policies, quiet)
def test_reminders(week: str, policy: AlertPolicy, muted: set[int]) -> None:
    """Two reminders of an alert, or a reminder and what was told before, are never closer than the policy says."""
    told = events(week, policy, muted)[1]
    for number, event in enumerate(told):
        if event.kind is EventKind.REMINDER:
            assert policy.remind is not None
            assert minute(event) not in muted
            before = [each for each in told[:number] if each.alert.id == event.alert.id]
            assert before
            assert event.at - before[-1].at >= policy.remind


@settings(max_examples=60)
@given(weeks, weeks, policies)
def test_no_outage_is_missed(before: str, after: str, policy: AlertPolicy) -> None:
    """Whatever was before, an outage of as many runs as it takes is open at the end of it, and told exactly once."""
    start, end = len(before), len(before) + policy.of
    week = before + "a" * policy.of + after
    told = [e for e in events(week, policy, set())[1] if e.alert.kind is AlertKind.OUTAGE and minute(e) < end]
    last = [event for event in told if event.kind in {EventKind.OPENED, EventKind.RECOVERED}][-1]
    assert last.kind is EventKind.OPENED
    assert sum(event.kind is EventKind.OPENED for event in told if minute(event) >= start) <= 1


@settings(max_examples=40)
@given(weeks, policies)
def test_long_enough_passes_end_everything(week: str, policy: AlertPolicy) -> None:
    """Eight times as many passes as it takes at first end whatever there was."""
    state, _ = events(week + "." * 8 * policy.recovery, policy, set())
    assert (state.outage, state.blindness, state.since if policy.of <= 8 * policy.recovery else None) == (None,) * 3


@settings(max_examples=40)
@given(weeks, policies, quiet)
def test_nothing_begins_while_muted(week: str, policy: AlertPolicy, muted: set[int]) -> None:
    """In maintenance nothing is told but that something is over."""
    assert all(e.kind is EventKind.RECOVERED for e in events(week, policy, muted)[1] if minute(e) in muted)
    assert events(week, policy, set(range(len(week))))[1] == []


@settings(max_examples=40)
@given(weeks, policies, quiet)
def test_a_state_survives_json(week: str, policy: AlertPolicy, muted: set[int]) -> None:
    """What was written down is what is read back, wherever a week was cut."""
    state, _ = events(week, policy, muted)
    assert AlertState.from_json(state.to_json()) == state
