from __future__ import annotations

import json
from dataclasses import replace

import pytest

from postdeploy.domain.alert import AlertState
from postdeploy.domain.alert_outbox import claimed
from postdeploy.domain.alerting import AlertPolicy, advance, passes_needed
from tests.domain.alert_runs import MINUTE, START, run, told

HOURLY = AlertPolicy(remind=60 * MINUTE)


@pytest.mark.parametrize(
    ("letters", "news"),
    [
        ("....", []),
        ("a...", []),
        ("..a.", []),
        ("aa..", ["1 opened outage a", "3 recovered outage"]),
        ("a.a..", ["2 opened outage a", "4 recovered outage"]),
        ("a..a..a..", []),
        ("ab..", ["1 opened outage ab", "3 recovered outage"]),
        ("aa.aa..", ["1 opened outage a", "6 recovered outage"]),
        ("a?a", ["2 opened outage a"]),
        ("a????a", ["5 opened outage a"]),
        ("aa.?.", ["1 opened outage a", "4 recovered outage"]),
        ("aa..a.", ["1 opened outage a", "3 recovered outage"]),
        ("????", []),
        ("?????.?..", ["4 opened blind", "8 recovered blind"]),
        ("aa?????", ["1 opened outage a", "6 opened blind"]),
        ("?????aa..", ["4 opened blind", "6 opened outage a", "6 recovered blind", "8 recovered outage"]),
    ],
)
def test_when_people_are_told(letters: str, news: list[str]) -> None:
    """Two failures among the last three runs that could tell open an alert, two passes in a row close it."""
    assert told(letters)[1] == news


def test_strict_policy() -> None:
    """One failure is enough where the policy says so, and one pass."""
    strict = AlertPolicy(failing=1, of=1, recovery=1, blind=1)
    assert told("a.?.", strict)[1] == ["0 opened outage a", "1 recovered outage", "2 opened blind", "3 recovered blind"]


def test_three_of_five() -> None:
    """Failures need not follow each other."""
    policy = AlertPolicy(failing=3, of=5)
    assert told("a.a..a..a", policy)[1] == []
    assert told("a.a.a", policy)[1] == ["4 opened outage a"]


def test_it_spreads() -> None:
    """While an alert is open, a check that fails as often as an alert needs is named, once."""
    state, news = told("aabcbbbb")
    assert news == ["1 opened outage a", "4 spread outage b"]
    assert state.outage is not None
    assert set(state.outage.checks) == {"b"}, "the one that has recovered is not named any more"


def test_a_check_that_comes_back_is_named_again() -> None:
    """What was named and was well for long enough is news again."""
    assert told("aabbbaaa")[1] == ["1 opened outage a", "3 spread outage b", "6 spread outage a"]


def test_reminders() -> None:
    """An alert that lasts is told again, after the time that the policy says, and not while it passes."""
    news = told("a" * 130, HOURLY)[1]
    assert news == ["1 opened outage a", "61 reminder outage", "121 reminder outage"]
    assert told("a" * 130, replace(HOURLY, remind=None))[1] == ["1 opened outage a"]
    assert told("a" * 60 + "a.a.?", HOURLY)[1] == ["1 opened outage a", "62 reminder outage"]
    assert told("?" * 70, HOURLY)[1] == ["4 opened blind", "64 reminder blind"]


def test_it_flaps() -> None:
    """What comes back soon after it recovered needs twice as many passes each time, so that turns are no news."""
    state, news = told("aa.." * 6 + "." * 24)
    assert news == [
        "1 opened outage a", "3 recovered outage", "5 opened outage a", "25 recovered outage",
    ]  # fmt: skip
    state, news = told("aa..", state=state)
    assert news == ["49 opened outage a", "51 recovered outage"], "after a calm time two passes are enough again"
    assert state.turns == 0


def test_how_often_it_is_doubled() -> None:
    """Eight times as many passes are enough for whatever flaps."""
    letters = "aa.." + "aa...." + "aa........" + "aa" + "." * 16 + "aa" + "." * 16
    state, news = told(letters)
    assert [each.split()[1] for each in news] == ["opened", "recovered"] * 5
    assert state.outage is None
    assert told("aa.." + "aa")[0].outage is not None
    flapping = told("aa.." + "aa")[0].outage
    assert flapping is not None
    assert passes_needed(flapping, AlertPolicy()) == 4


@pytest.mark.parametrize(
    ("letters", "muted", "news"),
    [
        ("aaaa", range(4), []),
        ("aaaa", range(3), ["3 opened outage a"]),
        ("aa.a", range(2), []),
        ("aa.aa", range(2), ["4 opened outage a"]),
        ("aaaa..", range(2, 6), ["1 opened outage a", "5 recovered outage"]),
        ("aabbb", range(2, 5), ["1 opened outage a"]),
        ("??????", range(5), ["5 opened blind"]),
    ],
)
def test_muted(letters: str, muted: range, news: list[str]) -> None:
    """In maintenance nothing begins; what is still failing afterwards does, what has passed meanwhile does not."""
    assert told(letters, muted=muted)[1] == news


def test_no_reminders_while_muted() -> None:
    """Nor is anybody reminded in maintenance; afterwards they are."""
    assert told("a" * 70, HOURLY, muted=range(50, 69))[1] == ["1 opened outage a", "69 reminder outage"]
    assert told("?" * 80, HOURLY, muted=range(50, 75))[1] == ["4 opened blind", "75 reminder blind"]


def test_a_run_counts_once() -> None:
    """A run that two processes tell of is one run."""
    once = advance(AlertState("site"), run("a", 1), AlertPolicy(), ())
    assert advance(once, run("a", 1), AlertPolicy(), ()) is once


def test_an_alert() -> None:
    """It says since when, how many runs, and what the first cause was; the release has the moment that it came."""
    state = told("..a?ab")[0]
    assert state.outage is not None
    assert (state.outage.since, state.outage.opened) == (START + 2 * MINUTE, START + 4 * MINUTE)
    assert (state.outage.runs, state.outage.cause) == (3, "a answers 503")
    assert (state.release, state.released) == ("r1", START)
    newer = advance(state, run(".", 9, release="r2"), AlertPolicy(), ())
    assert (newer.release, newer.released) == ("r2", START + 9 * MINUTE)


def test_clocks_that_differ() -> None:
    """A run of a slower clock reminds nobody earlier."""
    policy = replace(HOURLY, remind=10.0)
    state = told("aa", policy)[0]
    late = advance(state, run("a", 9, at=START - 500), policy, ())
    assert late.outage is not None
    assert late.outage.told == START + MINUTE
    assert not late.outbox


def test_json() -> None:
    """A state comes back from JSON as it was, also with everything in it."""
    state = advance(told("aa?????")[0], run("b", 50), AlertPolicy(), ())
    state = advance(state, run("b", 51), AlertPolicy(), ())
    assert state.outbox
    leased = claimed(state, "me", START, 60)
    assert leased is not None
    for each in (state, leased, AlertState("site")):
        assert AlertState.from_json(json.loads(json.dumps(each.to_json()))) == each


@pytest.mark.parametrize("wrong", [{"version": "1"}, {"outbox": [{}]}, {"recent": {}}, {"told": [1]}, {"calm": -1}])
def test_what_is_no_state(wrong: dict[str, object]) -> None:
    """What is of another form is refused."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        AlertState.from_json({**AlertState("site").to_json(), **wrong})
