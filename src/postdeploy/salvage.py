"""A run that died has left a journal: it is folded into a verdict that says how the run ended, and invents nothing.

What was confirmed before the end stays confirmed. What is missing stays missing, so that this can never be a pass.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from postdeploy.documents import VERDICT_FILE, render_document, write_atomically
from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import EvidenceError, fold
from postdeploy.domain.verdict import Verdict
from postdeploy.errors import JournalError
from postdeploy.journal import EVIDENCE_FILE, read_journal, render_record

__all__ = ["salvage"]


def salvage(
    reports: str | os.PathLike[str], run_id: str, *, reason: str, message: str, status: int, at: float
) -> Verdict:
    """Seal the verdict of a run whose process is gone.

    Args:
        reports: the folder with its journal.
        run_id: the run that the journal has to be of.
        reason: of the closed list; how the run ended.
        message: the same, as a sentence.
        status: with which its process ended, negative for the number of a signal.
        at: seconds since the epoch.

    Raises:
        JournalError: there is no journal of this run that can be read, or the verdict cannot be written.
    """
    path = Path(reports) / EVIDENCE_FILE
    content = read_journal(path)
    if content.torn:
        message += "; the last line of the evidence was torn and is left out"
    incident = {"record": "incident", "reason": reason, "message": message}
    records = [
        *_of_run(content.records, run_id, path),
        incident,
        {"record": "finished", "at": at, "pytest_exit": status},
    ]
    try:
        evidence = fold(records)
    except EvidenceError as error:
        raise JournalError(f"{path}: {error}") from error
    verdict = decide(evidence)
    lines = b"".join(map(render_record, records))
    proof = {"file": path.name, "sha256": hashlib.sha256(lines).hexdigest(), "records": len(records)}
    write_atomically(path, lines)
    document = verdict_document(evidence, verdict, proof=proof, exporters={})
    write_atomically(path.with_name(VERDICT_FILE), render_document(document))
    return verdict


def _of_run(records: list[dict[str, Any]], run_id: str, path: Path) -> list[dict[str, Any]]:
    """The records of this run without its end, for an end that was not sealed is none."""
    if not records or _run_id(records[0]) != run_id:
        raise JournalError(f"{path}: the evidence is not of run {run_id}")
    return records[:-1] if records[-1].get("record") == "finished" else records


def _run_id(record: Mapping[str, Any]) -> object:
    run = record.get("run")
    return run.get("id") if isinstance(run, dict) else None
