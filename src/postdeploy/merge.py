"""Shards of one run, brought together: their evidence becomes one journal, and one verdict follows from it.

Each part is believed as the gate believes a verdict. One that cannot be is missing, and then nothing passes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from postdeploy.documents import VERDICT_FILE, read_regular, render_document, write_atomically, write_document
from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import fold
from postdeploy.domain.merging import merged_records
from postdeploy.domain.parts import Part
from postdeploy.domain.shard import Shard
from postdeploy.domain.verdict import Verdict
from postdeploy.errors import RefusedError
from postdeploy.gate import Demand, believe
from postdeploy.journal import EVIDENCE_FILE, read_journal, render_record

__all__ = ["find_parts", "merge"]


def find_parts(places: Iterable[Path]) -> Iterator[Path]:
    """Folders of reports; of a folder without a verdict, those of its folders that have one."""
    for place in places:
        inside = [] if (place / VERDICT_FILE).exists() else sorted(place.glob(f"*/{VERDICT_FILE}"))
        yield from (path.parent for path in inside) if inside else (place,)


def merge(folders: Sequence[Path], reports: Path, demand: Demand, run: Mapping[str, Any]) -> Verdict:
    """Seal the verdict of all parts in ``reports``.

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
    parts: dict[Path, Part] = {}
    problems: list[str] = []
    for folder in folders:
        try:
            parts[folder] = _part(folder, demand, taken={part.place for part in parts.values()})
        except RefusedError as error:
            problems.append(f"{folder} proves nothing: {error}")
    if not parts:
        raise RefusedError("; ".join(problems) or "there are no parts")
    for folder, part in parts.items():
        _copy_evidence(part, folder, reports)
    return _seal(merged_records(list(parts.values()), run, problems), reports)


def _part(folder: Path, demand: Demand, taken: set[str]) -> Part:
    document = believe(folder / VERDICT_FILE, demand).document
    evidence = fold(read_journal(folder / EVIDENCE_FILE, document["evidence"]["sha256"]).records)
    try:
        shard = Shard.named_in(evidence.narrowed_by)
    except ValueError as error:
        raise RefusedError(str(error)) from error
    name = f"shard-{shard.index}-of-{shard.of}" if shard else "whole"
    place = next(each for each in (name, *(f"{name}-{number}" for number in range(2, 10_000))) if each not in taken)
    return Part(place, shard, evidence)


def _copy_evidence(part: Part, folder: Path, reports: Path) -> None:
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


def _seal(records: Sequence[Mapping[str, Any]], reports: Path) -> Verdict:
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
    return started_document(started) | {"summary": "shards are being merged"}
