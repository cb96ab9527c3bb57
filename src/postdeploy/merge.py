"""Shards of one run, or runs from several vantages, brought together: one journal, and one verdict from it.

Each part is believed as the gate believes a verdict. One that cannot be is missing, and then nothing passes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from postdeploy.documents import (
    VERDICT_FILE,
    read_document,
    read_regular,
    render_document,
    write_atomically,
    write_document,
)
from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import fold
from postdeploy.domain.merging import merged_records
from postdeploy.domain.parts import Part
from postdeploy.domain.shard import Shard
from postdeploy.domain.verdict import Verdict
from postdeploy.errors import DocumentError, RefusedError
from postdeploy.gate import Demand, believe
from postdeploy.journal import EVIDENCE_FILE, read_journal, render_record

__all__ = ["Read", "copy_evidence", "find_parts", "merge", "name_of_parts", "read_part", "seal"]


class Read(NamedTuple):
    """A part that is believed, with the records of its journal."""

    part: Part
    records: list[dict[str, Any]]


def find_parts(places: Iterable[Path]) -> Iterator[Path]:
    """Folders of reports; of a folder without a verdict, those of its folders that have one."""
    for place in places:
        inside = [] if (place / VERDICT_FILE).exists() else sorted(place.glob(f"*/{VERDICT_FILE}"))
        yield from (path.parent for path in inside) if inside else (place,)


def name_of_parts(folders: Iterable[Path]) -> str | None:
    """A name that whoever merges these very files gives to their run again, so that it is remembered once.

    It begins with the time at which the first part began, as those of other runs; None if no part says it.
    """
    digests, starts = [], []
    for folder in folders:
        with suppress(OSError, DocumentError, KeyError, TypeError, ValueError, OverflowError):
            document = read_document(folder / VERDICT_FILE)
            starts.append(datetime.fromisoformat(document["run"]["started"]).astimezone(UTC))
            content = read_regular(folder / VERDICT_FILE) + read_regular(folder / EVIDENCE_FILE)
            digests.append(hashlib.sha256(content).hexdigest())
    if not digests:
        return None
    return f"{min(starts):%Y%m%dT%H%M%SZ}-{hashlib.sha256(''.join(sorted(digests)).encode()).hexdigest()[:12]}"


def merge(folders: Sequence[Path], reports: Path, demand: Demand, run: Mapping[str, Any]) -> Verdict:
    """Seal the verdict of all parts in ``reports``; parts that were told their vantage are judged by a quorum.

    Args:
        folders: the reports of each part.
        reports: where the merged ones go; another folder than those.
        demand: what each part must be about.
        run: facts of the merged run, at least its id.

    Raises:
        RefusedError: no part can be believed; ``reports`` holds an inconclusive verdict.
        DocumentError: the verdict cannot be written.
    """
    write_document(reports / VERDICT_FILE, _unmerged(demand, run))
    parts: dict[Path, Read] = {}
    problems: list[str] = []
    for folder in folders:
        try:
            parts[folder] = read_part(folder, demand, taken={read.part.place for read in parts.values()})
        except RefusedError as error:
            problems.append(f"{folder} proves nothing: {error}")
    if not parts:
        raise RefusedError("; ".join(problems) or "there are no parts")
    for folder, read in parts.items():
        copy_evidence(read.part, folder, reports)
    if any("vantage" in read.part.evidence.run for read in parts.values()):
        from postdeploy.vantages.verdict import of_parts

        return seal(of_parts(list(parts.values()), run, demand.now, problems), reports)
    return seal(merged_records([read.part for read in parts.values()], run, problems), reports)


def read_part(folder: Path, demand: Demand, taken: set[str]) -> Read:
    """What a folder of reports holds. Raises RefusedError for one that proves nothing."""
    document = believe(folder / VERDICT_FILE, demand).document
    records = read_journal(folder / EVIDENCE_FILE, document["evidence"]["sha256"]).records
    evidence = fold(records)
    try:
        shard = Shard.named_in(evidence.narrowed_by)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    name = f"shard-{shard.index}-of-{shard.of}" if shard else str(evidence.run.get("vantage", "whole"))
    place = next(each for each in (name, *(f"{name}-{number}" for number in range(2, 10_000))) if each not in taken)
    return Read(Part(place, shard, evidence), records)


def copy_evidence(part: Part, folder: Path, reports: Path) -> None:
    """What attempts left behind; a file that is gone is missed by those who look at it, not by the verdict."""
    paths = (path for result in part.evidence.results.values() for each in result.attempts for path in each.evidence)
    for path in dict.fromkeys(paths):
        if ".." in Path(path).parts or Path(path).is_absolute():
            continue
        with suppress(OSError):
            content = read_regular(folder / path)
            target = reports / part.place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, content)


def seal(records: Sequence[Mapping[str, Any]], reports: Path) -> Verdict:
    """Write evidence and verdict. Raises JournalError."""
    lines = b"".join(map(render_record, records))
    evidence = fold(records)
    verdict = decide(evidence)
    proof = {"file": EVIDENCE_FILE, "sha256": hashlib.sha256(lines).hexdigest(), "records": len(records)}
    write_atomically(reports / EVIDENCE_FILE, lines)
    document = verdict_document(evidence, verdict, proof=proof, exporters={})
    write_atomically(reports / VERDICT_FILE, render_document(document))
    return verdict


def _unmerged(demand: Demand, run: Mapping[str, Any]) -> dict[str, Any]:
    """What stands on disk before any part was read, over any older verdict."""
    from postdeploy.domain.document import started_document

    started = {"run": {**run, "started": demand.now}, "target": {"name": demand.target}, "expected": demand.release}
    return started_document(started) | {"summary": "parts are being merged"}
