from __future__ import annotations

from typing import Any

import pytest

from postdeploy.domain.facts import Baseline, Incident, PlannedCheck, ReleaseEvidence, ServiceState, Wait
from postdeploy.domain.policy import Severity
from postdeploy.domain.quarantine import Quarantine
from postdeploy.domain.result import Outcome

_PLANNED: dict[str, Any] = {
    "id": "s::n", "name": "n", "kind": "api", "severity": "major", "path": "suites/a.yaml", "line": 7, "owner": None,
    "runbook": None, "services": [], "may_repeat": False,
}  # fmt: skip


def test_every_word_of_a_planned_check() -> None:
    """What others have read of a journal stays where they read it."""
    said = {
        **_PLANNED,
        "owner": "web",
        "runbook": "https://wiki.test",
        "services": ["web"],
        "quarantine": {"owner": "web", "until": "2030-01-01", "reason": "#1"},
        "vantages": ["eu"],
        "issues": ["https://bugs.test/1"],
    }
    check = PlannedCheck.from_json(said)
    assert check.to_json() == said
    assert check == PlannedCheck(
        "s::n", "n", "api", Severity.MAJOR, "suites/a.yaml", 7, "web", "https://wiki.test", ("web",), False,
        Quarantine("web", "2030-01-01", "#1"), ("eu",), ("https://bugs.test/1",),
    )  # fmt: skip


def test_what_is_not_said_of_a_planned_check() -> None:
    """It is in no quarantine, at every vantage, and of no issue; that is not written either."""
    check = PlannedCheck.from_json(_PLANNED)
    assert (check.quarantine, check.vantages, check.issues) == (None, (), ())
    assert check.to_json() == _PLANNED


def test_what_is_not_said_of_a_release() -> None:
    """Nobody waited for it, and nobody has seen it."""
    assert ReleaseEvidence.from_json({"expected": "r2"}) == ReleaseEvidence("r2")


def test_what_is_said_of_a_release() -> None:
    """Word by word."""
    said: dict[str, Any] = {
        "expected": "r2", "live": False, "waited": 1.5, "first": {"web": "r1"}, "last": {"web": "?"},
        "counts": {"web": {"r1": 3}}, "problem": "it did not come",
    }  # fmt: skip
    assert ReleaseEvidence.from_json(said) == ReleaseEvidence(**said)


@pytest.mark.parametrize(
    ("first", "last", "changed"),
    [
        ({"web": "r1"}, {"web": "r1"}, ()),
        ({"web": "r1"}, {"web": "r2"}, ("web",)),
        ({"web": "r1"}, {"web": "?"}, ()),
        ({"web": "r1"}, {}, ()),
        ({}, {"web": "r2"}, ()),
    ],
    ids=["same", "other", "silent", "nothing", "new"],
)
def test_a_release_that_changed(first: dict[str, str], last: dict[str, str], changed: tuple[str, ...]) -> None:
    """It has been one and is another one; silence is no change."""
    assert ReleaseEvidence(first=first, last=last).changed == changed


def test_what_is_said_of_a_service() -> None:
    """Word by word."""
    said: dict[str, Any] = {
        "name": "web", "live": False, "code": "http_503", "message": "busy", "target_fault": False, "attempts": 3,
    }  # fmt: skip
    assert ServiceState.from_json(said) == ServiceState("web", False, "http_503", "busy", False, 3)


@pytest.mark.parametrize(
    ("live", "code", "wrongly"),
    [
        (False, "http_503", True),
        (False, "tls_alert", True),
        (True, "http_503", False),
        (False, "connect_timeout", False),
        (False, None, False),
        (False, "", False),
    ],
)
def test_a_wrong_answer(live: bool, code: str | None, wrongly: bool) -> None:
    """It is one if the service is down, and there."""
    assert ServiceState("web", live, code).answered_wrongly is wrongly


def test_what_else_is_said() -> None:
    """Incidents, waits and what was known before."""
    assert Incident.from_json({"reason": "interrupted", "message": "so"}) == Incident("interrupted", "so")
    assert Wait.from_json({"name": "release", "began": 1.0, "seconds": 2.0}) == Wait("release", 1.0, 2.0)
    told = {"release": None, "outcomes": {"a": "failed"}, "source": "history"}
    assert Baseline.from_json(told) == Baseline(None, {"a": Outcome.FAILED}, "history")
