from __future__ import annotations

from postdeploy.domain.alert import AlertState
from postdeploy.domain.alert_outbox import claimed, heard, left_for, reconciled
from postdeploy.domain.alerting import AlertPolicy, advance
from postdeploy.lazy_dataclass import replace
from tests.domain.alert_runs import MINUTE, START, run, told

POLICY = AlertPolicy(remind=2 * MINUTE)


def after(letters: str, begin: int = 0, state: AlertState | None = None, name: str = "run") -> AlertState:
    """The state after runs of which nobody has been told."""
    state = state or AlertState("site")
    for number, letter in enumerate(letters, begin):
        state = advance(state, run(letter, number, id=f"{name}-{number}"), POLICY, ())
    return state


def ids(state: AlertState) -> list[str]:
    """What is still to be told."""
    return [event.id for event in state.outbox]


def test_one_tells_at_a_time() -> None:
    """While one process tells people, another one does not; one that died is not waited for longer than its lease."""
    state = claimed(AlertState("site"), "a", 100, 60)
    assert state is not None
    assert claimed(state, "b", 159, 60) is None
    assert claimed(state, "a", 159, 60) is not None
    assert claimed(state, "b", 160, 60) is not None
    assert claimed(state, "b", 20, 60) is not None, "a clock that was set back keeps nobody from being told"
    assert heard(state, "b", {}, (), 100).lease == state.lease
    assert heard(state, "a", {}, (), 100).lease is None


def test_who_has_heard() -> None:
    """What all receivers have heard is done; whoever could not be told is told the next time."""
    state = after("aa")
    assert ids(state) == ["outage/opened/run-1"]
    half = heard(state, "me", {"outage/opened/run-1": ["team"]}, ("team", "oncall"), START)
    assert (left_for(half, "team"), len(left_for(half, "oncall"))) == ((), 1)
    done = heard(half, "me", {"outage/opened/run-1": ["oncall"]}, ("team", "oncall"), START)
    assert (ids(done), done.told) == ([], ("outage/opened/run-1",))
    assert ids(heard(state, "me", {}, (), START)) == [], "where nobody is to be told, nothing waits"


def test_in_order() -> None:
    """Everything is told in its order, but for a reminder that later news have overtaken."""
    state = after("aaaaaa")
    assert ids(state) == ["outage/opened/run-1", "outage/reminder/run-3", "outage/reminder/run-5"]
    assert [event.id for event in left_for(state, "team")] == ["outage/opened/run-1", "outage/reminder/run-5"]
    partly = heard(state, "me", {"outage/opened/run-1": ["team"]}, ("team",), START)
    assert ids(partly) == ["outage/reminder/run-5"]


def test_old_news() -> None:
    """What could not be told for a day is not told any more."""
    state = after("aa")
    assert ids(heard(state, "me", {}, ("team",), START + 86_400)) == ["outage/opened/run-1"]
    assert ids(heard(state, "me", {}, ("team",), START + 86_500)) == []


def test_only_one_state() -> None:
    """Whichever there is counts."""
    state = after("aa")
    assert reconciled(None, None, 0) is None
    assert reconciled(state, None, 0) is reconciled(None, state, 0) is state


def test_nobody_else_went_on() -> None:
    """The state that went on alone is the newer one, and what others have told meanwhile is told."""
    base = after("aa")
    local = after("aa", 2, base)
    shared = heard(base, "other", {"outage/opened/run-1": ["team"]}, ("team",), START)
    merged = reconciled(shared, local, base.version)
    assert merged is not None
    assert (merged.version, ids(merged)) == (4, ["outage/reminder/run-3"])


def test_somebody_else_went_on() -> None:
    """The shared state counts; an alert that only the other one knows of stays open, so that its end is told."""
    base = after("..")
    shared, local = after("...", 2, base, "theirs"), after("aa", 2, base, "ours")
    local = heard(local, "me", {"outage/opened/ours-3": ["team"]}, ("team",), START)
    merged = reconciled(shared, local, base.version)
    assert merged is not None
    assert merged.outage is not None
    assert (merged.outage.id, merged.passes, ids(merged)) == ("ours-3", 5, [])
    assert {"theirs-2", "ours-3"} <= set(merged.runs)
    over = advance(merged, run(".", 9), POLICY, ())
    assert ids(over) == ["outage/recovered/ours-3"]


def test_an_alert_that_is_over() -> None:
    """An alert that the shared state has seen end does not come back, nor is its end told twice."""
    base = told("aa")[0]
    shared, local = after("..", 2, base, "theirs"), after("?", 2, base, "ours")
    merged = reconciled(shared, local, base.version)
    assert merged is not None
    assert (merged.outage, ids(merged)) == (None, ["outage/recovered/run-1"])
    ended = told("..", state=base)[0]
    still = after("a", 2, base, "theirs")
    merged = reconciled(still, ended, base.version)
    assert merged is not None
    assert merged.outage is not None
    assert ids(after("..", 9, merged)) == []


def test_an_alert_that_was_over_long_ago() -> None:
    """Nor does it come back when the run that opened it is forgotten."""
    base = told("aa")[0]
    shared = told("." * 70, state=base)[0]
    assert "run-1" not in shared.runs
    merged = reconciled(shared, after("?", 99, base, "ours"), base.version)
    assert merged is not None
    assert merged.outage is None


def test_news_of_both() -> None:
    """What both have to tell is told once, and whoever heard it from one has heard it."""
    base = after(".")
    one = heard(after("aa", 1, base), "me", {"outage/opened/run-2": ["team"]}, ("team", "oncall"), START)
    other = replace(after("aa", 1, base), blindness=one.outage)
    merged = reconciled(other, one, base.version)
    assert merged is not None
    assert (ids(merged), merged.outbox[0].heard) == (["outage/opened/run-2"], ("team",))
    assert merged.blindness == other.blindness
