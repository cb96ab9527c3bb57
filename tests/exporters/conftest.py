"""Verdict documents of runs: one where all went well, one where much went wrong, one that a hostile target answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.document import started_document, verdict_document
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.result import Attempt, CheckResult, Finding, Outcome
from tests.domain import builders as make

PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
HOSTILE = "x\n::error::owned\n##[error]owned <script>alert(1)</script> \x1b[2J \u202e \udcff `code` |cell| ]]> \x00"

Document = dict[str, Any]


def document_of(evidence: Evidence) -> Document:
    """The sealed document of a run."""
    proof = {"file": "evidence.jsonl", "sha256": "0" * 64, "records": 9}
    return verdict_document(evidence, decide(evidence), proof=proof, exporters={})


def nothing(_path: str) -> bytes | None:
    """No evidence file is there."""
    return None


def only_picture(path: str) -> bytes | None:
    """Every picture is the same one."""
    return PICTURE if path.endswith(".png") else None


@pytest.fixture
def good() -> Document:
    """Three checks passed."""
    return document_of(make.evidence(make.passed("home"), make.passed("login"), make.passed("chat")))


@pytest.fixture
def bad() -> Document:
    """One check of each outcome, and a flaky one."""
    attempt = make.attempt(
        "failed",
        phases={"dns": 0.001, "connect": 0.002, "tls": 0.003, "first_byte": 0.05, "transfer": 0.004},
        curl="curl -sS https://web.test/",
        excerpt="503 Service Unavailable",
        evidence=("evidence/home/attempt-1/screenshot.png", "evidence/home/attempt-1/trace.zip"),
    )
    again = make.attempt("failed", 2.0, curl="curl -sS https://web.test/")
    return document_of(
        make.evidence(
            CheckResult("home", Outcome.FAILED, (attempt, again)),
            make.result("flaky", "failed", "passed"),
            make.result("broken", "errored"),
            make.blocked("down"),
            CheckResult("left out", Outcome.SKIPPED, reason="not on this target", by_policy=True),
            CheckResult("late", Outcome.NOT_RUN, reason="the deadline of the run was reached"),
            make.passed("fine"),
            incidents=make.incidents("deadline_exceeded"),
        )
    )


@pytest.fixture
def hostile() -> Document:
    """A target whose answers want to be commands, and a name that does too."""
    finding = Finding("mismatch", "body", "ok", HOSTILE)
    attempts = tuple(
        Attempt(Outcome.FAILED, make.BEGIN + at, 0.1, findings=(finding,), exchanges=1, excerpt=HOSTILE, curl=HOSTILE)
        for at in (0.0, 2.0)
    )
    check = make.plan("home", kind="api")
    named = type(check)(**{**_fields(check), "name": HOSTILE, "owner": HOSTILE})
    return document_of(make.evidence(CheckResult("home", Outcome.FAILED, attempts), plan=(named,)))


@pytest.fixture
def unfinished() -> Document:
    """What stands on disk while a run is under way, or after it died."""
    run = {"id": "run-1", "started": make.BEGIN, "tool": {"version": "0.1.0"}}
    return started_document({"run": run, "target": {"name": "staging"}, "expected": None})


@pytest.fixture
def empty() -> Document:
    """A finished run in which nothing was collected."""
    return document_of(make.evidence())


@pytest.fixture
def large() -> Document:
    """Three hundred checks, a third of which failed."""
    results = [make.failed(f"check {n}") if n % 3 == 0 else make.passed(f"check {n}") for n in range(300)]
    return document_of(make.evidence(*results))


@pytest.fixture
def documents(good: Document, bad: Document, hostile: Document, unfinished: Document) -> Mapping[str, Document]:
    """All of them by name."""
    return {"good": good, "bad": bad, "hostile": hostile, "unfinished": unfinished}


@pytest.fixture
def picture() -> Callable[[str], bytes | None]:
    """Evidence in which every picture is there."""
    return only_picture


def _fields(check: Any) -> dict[str, Any]:
    return {name: getattr(check, name) for name in check.__slots__}
