from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from postdeploy.domain.attestation import render_statement, statement, subject_digest
from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.policy import Policy
from tests.domain.builders import blocked, evidence, failed, passed, plan, release, result
from tests.sealed import CONFIG, FAILED, PASSED

EVIDENCE, VERDICT = "e" * 64, "d" * 64


def stated(run: Evidence) -> dict[str, Any]:
    """The statement about a run, as it comes from disk."""
    proof = {"file": "evidence.jsonl", "sha256": EVIDENCE, "records": 7}
    document = verdict_document(run, decide(run), proof=proof, exporters={})
    again: dict[str, Any] = json.loads(render_statement(statement(document, VERDICT)))
    return again


def test_statement() -> None:
    """A statement of in-toto names what was verified, by what, and what came of it."""
    said = stated(PASSED)
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert said["subject"] == [
        {"name": "r2", "digest": {"sha256OfIdentity": hashlib.sha256(b"r2").hexdigest()}},
        {"name": "verdict.json", "digest": {"sha256": VERDICT}},
        {"name": "evidence.jsonl", "digest": {"sha256": EVIDENCE}},
    ]
    suite = PASSED.suite.digest(PASSED.run["plugins"]) if PASSED.suite else ""
    assert said["predicate"] == {
        "result": "PASSED",
        "configuration": [
            {"name": "targets.yaml", "digest": {"sha256": CONFIG.removeprefix("sha256:")}},
            {"name": "suite", "digest": {"sha256": suite.removeprefix("sha256:")}},
            {"name": "policy", "digest": {"sha256": PASSED.policy.digest.removeprefix("sha256:")}},
        ],
        "passedTests": ["home", "api"],
        "failedTests": [],
        "postdeploy": {
            "verdict": "pass",
            "reason": "all_required_passed",
            "action": "promote",
            "run": "run-1",
            "started": "1970-01-12T13:46:40.000Z",
            "finished": "1970-01-12T13:46:50.000Z",
            "version": PASSED.run["tool"]["version"],
            "target": "staging",
            "services": {"web": "https://web.test", "api": "https://api.test"},
            "release": "r2",
        },
    }


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("sha256:" + "1" * 64, {"sha256": "1" * 64}),
        ("2" * 40, {"gitCommit": "2" * 40}),
        ("sha256:" + "1" * 63, None),
        ("x" + "2" * 40, None),
        ("2" * 41, None),
    ],
)
def test_release(name: str, digest: dict[str, str] | None) -> None:
    """The digest of an image or a commit is taken as it is; of any other name one is made, under a name of its own."""
    run = evidence(passed("a"), release=release(expected=name, first={"web": name}, last={"web": name}))
    text = {"sha256OfIdentity": hashlib.sha256(name.encode()).hexdigest()}
    assert stated(run)["subject"][0] == {"name": name, "digest": digest or text}


def test_no_release() -> None:
    """A run that expected no release is about none; what is not known is left out of the configuration."""
    run = evidence(passed("a"), release=release(expected=None), target={"name": "staging"})
    said = stated(run)
    assert [subject["name"] for subject in said["subject"]] == ["verdict.json", "evidence.jsonl"]
    assert [each["name"] for each in said["predicate"]["configuration"]] == ["policy"]
    assert said["predicate"]["postdeploy"]["services"] == {}


def test_results() -> None:
    """A warning is a result of its own; what failed or could not tell is FAILED, and the verdict says which."""
    warned = evidence(passed("a"), failed("b"), plan=(plan("a"), plan("b", "minor")))
    unsure = evidence(passed("a"), result("b", "errored"))
    said = {name: stated(run)["predicate"] for name, run in (("w", warned), ("f", FAILED), ("u", unsure))}
    assert {name: each["result"] for name, each in said.items()} == {"w": "WARNED", "f": "FAILED", "u": "FAILED"}
    assert {name: each["postdeploy"]["verdict"] for name, each in said.items()} == {
        "w": "pass", "f": "fail", "u": "inconclusive",
    }  # fmt: skip
    assert (said["f"]["passedTests"], said["f"]["failedTests"]) == (["home"], ["api"])
    assert said["u"]["failedTests"] == ["b"]


def test_a_pass_that_decides_nothing() -> None:
    """The run of one of several vantages promotes nothing by itself, so nobody may take its statement for that."""
    said = stated(evidence(passed("a"), policy=Policy(vantages=("eu", "us"))))["predicate"]
    assert (said["result"], said["postdeploy"]["verdict"], said["postdeploy"]["action"]) == ("FAILED", "pass", "hold")


def test_what_no_verdict_says() -> None:
    """A pass for a reason that is none is not PASSED; a blocked check has failed."""
    said = stated(evidence(passed("a"), blocked("b")))
    assert said["predicate"]["failedTests"] == ["b"]
    proof = {"file": "evidence.jsonl", "sha256": EVIDENCE, "records": 7}
    document = verdict_document(PASSED, decide(PASSED), proof=proof, exporters={})
    assert statement(document | {"reason": "because"}, VERDICT)["predicate"]["result"] == "FAILED"


def test_subjects() -> None:
    """The digest of a subject is found by its name."""
    assert subject_digest(stated(PASSED), "verdict.json") == VERDICT
    with pytest.raises(KeyError):
        subject_digest(stated(PASSED), "other.json")


def test_one_spelling() -> None:
    """What is signed has one spelling: sorted keys, no spaces, ASCII."""
    assert render_statement({"b": "é", "a": [1, 2]}) == b'{"a":[1,2],"b":"\\u00e9"}'
    with pytest.raises(ValueError, match="JSON"):
        render_statement({"a": float("nan")})


def test_a_run_without_evidence() -> None:
    """A run that never finished states its verdict alone."""
    document = verdict_document(PASSED, decide(PASSED), proof={"file": "e", "sha256": EVIDENCE}, exporters={})
    said = statement(document | {"evidence": {}}, VERDICT)
    assert [subject["name"] for subject in said["subject"]] == ["r2", "verdict.json"]
    bare = {name: value for name, value in document.items() if name != "checks"}
    assert statement(bare, VERDICT)["predicate"]["passedTests"] == []
