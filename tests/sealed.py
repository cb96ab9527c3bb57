"""Sealed reports without a run: the real journal, the real decision, the real document, in a few milliseconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from postdeploy import __version__
from postdeploy.documents import render_document
from postdeploy.domain.attestation import render_statement, statement
from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import Evidence, fold
from postdeploy.domain.suite import Suite
from postdeploy.dsse import seal_envelope
from postdeploy.gate import Demand, believe
from postdeploy.journal import ENVELOPE_FILE, EVIDENCE_FILE, VERDICT_FILE, Journal
from postdeploy.signing import PrivateKey
from tests.domain.builders import API, BEGIN, WEB, evidence, failed, passed, records

__all__ = ["CONFIG", "FAILED", "FINISHED", "KEY", "OTHER_KEY", "PASSED", "STARTED", "demand", "seal", "sign"]

KEY = PrivateKey(bytes(range(32)))
OTHER_KEY = PrivateKey(bytes(range(1, 33)))
CONFIG = "sha256:" + "c" * 64
STARTED, FINISHED = BEGIN, BEGIN + 10

_RUN = {
    "id": "run-1", "started": STARTED, "tool": {"name": "pytest-postdeploy", "version": __version__},
    "argv": ["--target=staging"], "plugins": {"pytest-timeout": "2.4"},
}  # fmt: skip
_TARGET = {
    "name": "staging", "services": {"web": WEB, "api": API}, "access": "read-only", "allow": [],
    "config": {"file": "targets.yaml", "digest": CONFIG},
}  # fmt: skip
_SUITE = Suite({"suites/api.yaml": "sha256:" + "a" * 64})

PASSED = evidence(passed("home"), passed("api"), run=_RUN, target=_TARGET, suite=_SUITE)
FAILED = evidence(passed("home"), failed("api"), run=_RUN, target=_TARGET, suite=_SUITE)


def seal(folder: Path, run: Evidence = PASSED, key: PrivateKey | None = None) -> Path:
    """Write the journal of a run and the verdict that follows from it, signed with the key if any; returns its path."""
    lines = records(run)
    lines.insert(2, {"record": "suite", "files": dict(run.suite.files)} if run.suite else lines.pop(1))
    with Journal(folder / EVIDENCE_FILE) as journal:
        for line in lines:
            journal.append(line)
        proof = journal.close()
    folded = fold(lines)
    path = folder / VERDICT_FILE
    path.write_bytes(render_document(verdict_document(folded, decide(folded), proof=proof, exporters={})))
    if key is not None:
        sign(path, key)
    return path


def sign(path: Path, key: PrivateKey) -> Path:
    """Sign a verdict that the gate believes, as the launcher does; returns the envelope."""
    envelope = path.with_name(ENVELOPE_FILE)
    envelope.write_bytes(seal_envelope(render_statement(statement(*believe(path, demand()))), key))
    return envelope


def demand(**changes: Any) -> Demand:
    """What a pipeline asks a second after the run."""
    return replace(Demand("staging", "r2", "run-1", 900.0, FINISHED + 1), **changes)
