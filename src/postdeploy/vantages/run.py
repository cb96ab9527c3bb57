"""A run from several vantages, from the order to the sealed verdict."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from postdeploy.demand import Demand
from postdeploy.documents import VERDICT_FILE, write_document
from postdeploy.domain.document import started_document
from postdeploy.domain.evidence import Incident
from postdeploy.domain.verdict import Reason, Verdict
from postdeploy.errors import RefusedError, VantageError
from postdeploy.lazy_dataclass import dataclass, field
from postdeploy.merge import Read, copy_evidence, read_part, seal
from postdeploy.vantages.gathering import Answer, Limits, Order, Workers, gather_runs
from postdeploy.vantages.parcel import to_json, unpack
from postdeploy.vantages.verdict import records_of

__all__ = ["Errand", "verify_from", "withdraw"]

_SLACK: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Errand:
    """What every vantage is to do.

    Args:
        target: its name.
        release: what was deployed, or None.
        run: facts of the whole run: its ``id``, ``argv``, ``pid``.
        names: of the vantages.
        about: ``target``, ``policy`` and ``expected``, for when nothing comes back from anywhere.
        arguments: of ``postdeploy verify``, besides those that are of each vantage.
        files: of the project, by path; empty where it is ``there`` already.
        there: where the project lies on every worker, or None.
        most: bytes of reports that a vantage may send back.
        baseline: what was known on the release before, as ``baseline`` writes it, or None.
    """

    target: str
    release: str | None
    run: Mapping[str, Any]
    names: tuple[str, ...]
    about: Mapping[str, Any]
    arguments: Sequence[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    there: str | None = None
    most: int = 64 * 1024 * 1024
    baseline: str | None = None


def verify_from(errand: Errand, cluster: Workers, limits: Limits, reports: Path) -> Verdict:
    """Have every vantage make its run, and seal the verdict of all. Raises JournalError if that cannot be written."""
    order = Order(str(errand.run["id"]), _writer(errand))
    answers = gather_runs(errand.names, cluster, order, limits, time.monotonic, time.sleep)
    seen: dict[str, Read] = {}
    lost: dict[str, Incident] = {}
    for name, answer in answers.items():
        found = answer.lost or _believed(name, answer, errand, limits, reports)
        if isinstance(found, Incident):
            lost[name] = found
        else:
            seen[name] = found
    run = {**errand.run, "vantages": list(errand.names)}
    return seal(records_of(seen, lost, run, errand.about, time.time()), reports)


def withdraw(reports: Path, run: Mapping[str, Any], target: str, release: str | None) -> None:
    """Replace an older verdict by one that no pipeline can take for a pass. Raises JournalError."""
    started = {"run": {**run, "started": time.time()}, "expected": release, "target": {"name": target}}
    write_document(reports / VERDICT_FILE, started_document(started) | {"summary": "vantages are being asked"})


def _writer(errand: Errand) -> Any:
    files = to_json(errand.files)
    digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()

    def written(vantage: str, run_id: str, seconds: float) -> bytes:
        own = ["verify", errand.target, f"--vantage={vantage}", f"--run-id={run_id}", f"--wall-clock={seconds:.1f}s"]
        order = {
            "arguments": [*own, "--history=off", *errand.arguments],
            "wall_clock": seconds,
            "most": errand.most,
            "there": errand.there,
            "files": files,
            "sha256": digest,
            "baseline": errand.baseline,
        }
        return json.dumps(order).encode()

    return written


def _believed(name: str, answer: Answer, errand: Errand, limits: Limits, reports: Path) -> Read | Incident:
    """The run of a vantage, if it proves what it says and is the one that was asked for."""
    demand = Demand(errand.target, errand.release, answer.run_id, limits.wall_clock + _SLACK, time.time())
    with tempfile.TemporaryDirectory(prefix="postdeploy-vantage-") as folder:
        try:
            unpack(answer.reports, Path(folder))
            read = read_part(Path(folder), demand, set())
        except (RefusedError, VantageError) as error:
            return Incident(Reason.INCOMPLETE.value, f"what came back proves nothing: {error}")
        if read.part.place != name:
            return Incident(Reason.INCOMPLETE.value, f"what came back is of {read.part.place}")
        copy_evidence(read.part, Path(folder), reports)
    return read
