from __future__ import annotations

import json
from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.document import SCHEMA, iso, started_document, verdict_document
from postdeploy.domain.evidence import Baseline, Evidence, Wait, fold
from postdeploy.domain.result import Outcome
from tests.domain.builders import (
    BEGIN,
    blocked,
    control,
    down,
    evidence,
    failed,
    incidents,
    passed,
    records,
    release,
    services,
    up,
)

PROOF = {"file": "evidence.jsonl", "sha256": "0" * 64, "records": 7}


def test_waits_are_told_in_order() -> None:
    """With the time as people and receivers read it; without any there is no such field."""
    told = document(evidence(passed(), waits=(Wait("release", BEGIN, 2.5004), Wait("preflight", BEGIN + 2.5, 0.1))))
    assert told["waits"] == [
        {"name": "release", "began": "1970-01-12T13:46:40.000Z", "seconds": 2.5},
        {"name": "preflight", "began": "1970-01-12T13:46:42.500Z", "seconds": 0.1},
    ]
    assert "waits" not in document(evidence(passed()))


def document(run: Evidence) -> dict[str, Any]:
    """The sealed document of a run, as it comes from disk: reports are made of it before it has been there."""
    made = verdict_document(run, decide(run), proof=PROOF, exporters={"junit": "junit.xml"})
    again: dict[str, Any] = json.loads(json.dumps(made, allow_nan=False))
    assert repr(made) == repr(again)
    return again


def test_started() -> None:
    """The document of a run that has only begun is pessimistic."""
    begun = started_document(records(evidence())[0])
    assert (begun["schema"], begun["state"], begun["verdict"], begun["action"]) == (
        SCHEMA, "started", "inconclusive", "hold",
    )  # fmt: skip
    assert (begun["run"]["id"], begun["run"]["started"]) == ("run-1", "1970-01-12T13:46:40.000Z")
    assert (begun["run"]["finished"], begun["release"], begun["target"]["name"]) == (
        None, {"expected": "r2"}, "staging",
    )  # fmt: skip


def test_sealed() -> None:
    """The sealed document says what was decided, about what, and from which evidence."""
    said = document(evidence(passed("a"), passed("b")))
    assert (said["state"], said["verdict"], said["reason"], said["action"]) == (
        "sealed", "pass", "all_required_passed", "promote",
    )  # fmt: skip
    assert said["run"]["finished"] == "1970-01-12T13:46:50.000Z"
    assert said["evidence"] == PROOF
    assert said["reports"] == {"junit": "junit.xml"}
    assert said["policy"]["digest"].startswith("sha256:")
    assert said["baseline"] is None
    assert said["release"] == {
        "expected": "r2", "observed": {"web": "r2"}, "observed_last": {"web": "r2"}, "counts": {"web": {"r2": 5}},
        "live": True, "live_after": 1.0, "changed": False, "problem": None,
    }  # fmt: skip


def test_control() -> None:
    """What control probes said is in the document, with times that people read."""
    (first,) = document(evidence(passed(), control=(control(),)))["control"]
    assert first == {
        "probe": "url", "moment": "failure", "healthy": True, "at": "1970-01-12T13:46:41.000Z",
        "message": "url is well", "code": None, "skew": None,
    }  # fmt: skip


def test_check() -> None:
    """A check brings its attempts, what reproduces it, and the cause that it shares."""
    run = evidence(failed("a"), passed("b"), blocked("c"), services=services(down(), up("api")))
    first, second, third = document(run)["checks"]
    assert (first["outcome"], first["cause"], len(first["attempts"])) == ("failed", "c2", 2)
    assert first["attempts"][0]["started"] == "1970-01-12T13:46:40.000Z"
    assert (second["outcome"], second["cause"], second["evidence"]) == ("passed", None, [])
    assert (third["outcome"], third["cause"], third["curl"]) == ("blocked", "c1", None)


def test_what_happened() -> None:
    """Incidents, narrowing, services and the baseline stand in the document."""
    run = evidence(
        passed(),
        incidents=incidents("interrupted"),
        narrowed_by=("-k",),
        services=services(down()),
        baseline=Baseline("r1", {"home": Outcome.PASSED}, "old.json"),
    )
    said = document(run)
    assert said["incidents"] == [{"reason": "interrupted", "message": "interrupted happened"}]
    assert said["narrowed_by"] == ["-k"]
    assert said["baseline"] == {"release": "r1", "source": "old.json"}
    assert said["services"]["web"]["target_fault"] is True


@pytest.mark.parametrize(("last", "changed"), [("r2", False), ("r3", True), ("?", False)])
def test_changed(last: str, changed: bool) -> None:
    """The release has changed if another one was seen, not if none was."""
    assert document(evidence(passed(), release=release(last={"web": last})))["release"]["changed"] is changed


def test_made_again() -> None:
    """Anybody who holds the evidence makes the same document from it."""
    run = evidence(failed("a"), passed("b"))
    assert document(fold(json.loads(json.dumps(records(run))))) == document(run)


def test_unfinished() -> None:
    """Evidence without an end makes a document that was never finished."""
    assert document(evidence(passed(), finished=False, finished_at=None))["run"]["finished"] is None


def test_iso() -> None:
    """Times are RFC 3339 in UTC."""
    assert iso(0.25) == "1970-01-01T00:00:00.250Z"
