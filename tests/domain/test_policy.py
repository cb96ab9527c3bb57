from __future__ import annotations

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.domain.policy import Confirmation, OnFailure, OnMaintenance, OnRegional, Policy, Quorum, Severity

seconds = st.floats(0, 1e9)
policies = st.builds(
    Policy,
    deadline=seconds,
    confirm=st.builds(Confirmation, attempts=st.integers(1, 100), spacing=seconds),
    flaky=st.integers(0, 100),
    actions=st.fixed_dictionaries({severity: st.sampled_from(OnFailure) for severity in Severity}).map(
        MappingProxyType
    ),
    on_maintenance=st.sampled_from(OnMaintenance),
    vantages=st.lists(st.text()).map(tuple),
    quorum=st.none() | st.sampled_from([Quorum(1, 1), Quorum(2, 3)]),
    on_regional=st.sampled_from(OnRegional),
)


@given(policies)
def test_round_trip(policy: Policy) -> None:
    """A policy comes back from JSON as it was, with the same digest."""
    back = Policy.from_json(json.loads(json.dumps(policy.to_json(), allow_nan=False)))
    assert back == policy
    assert back.digest == policy.digest


def test_an_older_journal_says_nothing_of_maintenance() -> None:
    """A service that is closed on purpose was a failure before there was a choice."""
    raw = Policy(on_maintenance=OnMaintenance.HOLD).to_json()
    assert Policy.from_json(raw).on_maintenance is OnMaintenance.HOLD
    del raw["on_maintenance"]
    assert Policy.from_json(raw).on_maintenance is OnMaintenance.FAIL


def test_default_is_careful() -> None:
    """Without a word in targets.yaml, a failure is confirmed and only a critical one rolls back."""
    policy = Policy()
    assert policy.confirm.attempts == 2
    assert policy.actions == {
        Severity.CRITICAL: OnFailure.ROLLBACK,
        Severity.MAJOR: OnFailure.HOLD,
        Severity.MINOR: OnFailure.WARN,
    }


def test_inconclusive_is_held() -> None:
    """The journal says that nothing but holding follows from not knowing."""
    assert Policy().to_json()["on_inconclusive"] == "hold"


def test_digest_is_of_the_meaning() -> None:
    """Seconds written with or without a point are the same policy."""
    assert Policy(deadline=300, confirm=Confirmation(2, 1)).digest == Policy().digest


@pytest.mark.parametrize(
    "other",
    [Policy(deadline=299), Policy(flaky=2), Policy(confirm=Confirmation(3, 1.0))],
    ids=["deadline", "flaky", "confirm"],
)
def test_digest_tells_policies_apart(other: Policy) -> None:
    """Another rule gives another digest."""
    assert other.digest != Policy().digest
    assert other.digest.startswith("sha256:")


@pytest.mark.parametrize("key", ["deadline", "confirm", "flaky", "actions"])
def test_every_rule_must_be_there(key: str) -> None:
    """A policy that lacks a rule is refused."""
    raw = Policy().to_json()
    del raw[key]
    with pytest.raises(KeyError):
        Policy.from_json(raw)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deadline", float("nan")),
        ("deadline", float("inf")),
        ("deadline", 10**400),
        ("deadline", "300"),
        ("deadline", True),
        ("flaky", 1.5),
        ("flaky", -1),
        ("confirm", []),
        ("confirm", {"attempts": float("inf"), "spacing": 1.0}),
        ("confirm", {"attempts": 2}),
        ("actions", []),
        ("actions", {"critical": "rollback", "major": "hold"}),
        ("actions", {"critical": "promote", "major": "hold", "minor": "warn"}),
        ("actions", {"critical": None, "major": "hold", "minor": "warn"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_damaged_rule_is_refused(key: str, value: object) -> None:
    """A rule that is damaged in the journal is refused, with the errors that are named."""
    raw = Policy().to_json() | {key: value}
    with pytest.raises((KeyError, TypeError, ValueError)):
        Policy.from_json(raw)


@pytest.mark.parametrize("raw", [None, [], "policy", 5])
def test_not_even_an_object(raw: object) -> None:
    """What is no object is no policy."""
    with pytest.raises(TypeError):
        Policy.from_json(raw)


@pytest.mark.parametrize("given", ["", "2", "0 of 3", "4 of 3", "2 of 3.", "2of3", "-1 of 3"])
def test_what_is_no_quorum(given: str) -> None:
    """It says how many of how many, and no more of them than there are."""
    with pytest.raises(ValueError, match="such as 2 of 3"):
        Quorum.parse(given)


@pytest.mark.parametrize("of", range(1, 12))
def test_a_pass_leaves_no_room_for_a_failure(of: int) -> None:
    """Those that a pass does without are too few to have made a failure, and a pass needs as many as a failure."""
    for failing in range(1, of + 1):
        quorum = Quorum(failing, of)
        assert of - quorum.passing < failing <= quorum.passing <= of
        assert Quorum.parse(str(quorum)) == quorum
    assert Quorum.majority(of).failing * 2 > of
