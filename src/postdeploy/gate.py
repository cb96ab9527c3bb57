"""The judge that a pipeline asks before it acts: reads a sealed verdict, and believes it only where it can be proven.

It imports the domain and the journal only: neither pytest nor anything that a user wrote runs in its process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from postdeploy.domain.decision import decide
from postdeploy.domain.document import SCHEMA, verdict_document
from postdeploy.domain.evidence import EvidenceError, fold
from postdeploy.domain.policy import Action
from postdeploy.domain.verdict import Conclusion, ExitStatus
from postdeploy.errors import DocumentError, JournalError
from postdeploy.journal import digest, read_document, read_records

__all__ = ["Demand", "Ruling", "judge"]

_SKEW: Final = 60.0
"""Seconds by which the clock of the verdict may be ahead of the gate's."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the verdict must be about.

    Args:
        target: its name.
        release: what was deployed; None only if the run was not told either.
        run_id: the run, if the pipeline named it.
        max_age: seconds since the run finished.
        now: seconds since the epoch.
    """

    target: str
    release: str | None
    run_id: str | None
    max_age: float
    now: float


@dataclass(frozen=True, slots=True)
class Ruling:
    """The exit status of the gate and one sentence that says why."""

    status: int
    sentence: str


class _RefusedError(Exception):
    """The verdict proves nothing, or something else."""


def judge(path: Path, demand: Demand) -> Ruling:
    """Believe the verdict file and pass on its action, or refuse it with status 30."""
    try:
        document = read_document(path)
        for question in _QUESTIONS:
            question(document, demand)
        _require_proof(document, path.parent)
    except (_RefusedError, DocumentError, JournalError, EvidenceError) as error:
        return Ruling(ExitStatus.NO_PROOF, f"refused: {error}")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return Ruling(ExitStatus.NO_PROOF, f"refused: {path}: not a verdict: {error!r}")
    return _ruling(document)


def _ruling(document: Mapping[str, Any]) -> Ruling:
    sentence = f"{document['verdict']}, {document['action']}: {document['reason']}: {document['summary']}"
    if document["verdict"] == Conclusion.PASS and document["action"] == Action.PROMOTE:
        return Ruling(ExitStatus.PROMOTE, sentence)
    if document["verdict"] == Conclusion.FAIL and document["action"] == Action.ROLLBACK:
        return Ruling(ExitStatus.ROLLBACK, sentence)
    return Ruling(ExitStatus.HOLD, sentence)


def _ask_form(document: Mapping[str, Any], _demand: Demand) -> None:
    if document["schema"] != SCHEMA:
        raise _RefusedError(f"the schema is {document['schema']!r}, this gate reads {SCHEMA!r}")
    if document["state"] != "sealed":
        raise _RefusedError(
            f"the run {document['run']['id']} started at {document['run']['started']} and never finished"
        )


def _ask_target(document: Mapping[str, Any], demand: Demand) -> None:
    if document["target"]["name"] != demand.target:
        raise _RefusedError(f"the verdict is about target '{document['target']['name']}', not '{demand.target}'")


def _ask_release(document: Mapping[str, Any], demand: Demand) -> None:
    expected = document["release"]["expected"]
    if expected != demand.release:
        asked = f"'{demand.release}'" if demand.release is not None else "no release; name it with --release"
        about = f"release '{expected}'" if expected is not None else "no release in particular"
        raise _RefusedError(f"the verdict is about {about}, the gate was asked about {asked}")


def _ask_run(document: Mapping[str, Any], demand: Demand) -> None:
    if demand.run_id is not None and document["run"]["id"] != demand.run_id:
        raise _RefusedError(f"the verdict is of run {document['run']['id']}, not {demand.run_id}")


def _ask_time(document: Mapping[str, Any], demand: Demand) -> None:
    started, finished = _seconds(document["run"]["started"]), _seconds(document["run"]["finished"])
    if finished < started:
        raise _RefusedError("the run finished before it started")
    if finished > demand.now + _SKEW:
        raise _RefusedError(f"the run finished in the future, at {document['run']['finished']}; compare the clocks")
    if demand.now - finished > demand.max_age:
        age = demand.now - finished
        raise _RefusedError(f"the verdict is stale: {age:.0f} s old, at most {demand.max_age:.0f} s are allowed")


_QUESTIONS: Final[tuple[Callable[[Mapping[str, Any], Demand], None], ...]] = (
    _ask_form,
    _ask_target,
    _ask_release,
    _ask_run,
    _ask_time,
)


def _require_proof(document: Mapping[str, Any], folder: Path) -> None:
    """The whole document must follow, again, from the evidence that it names."""
    proof = document["evidence"]
    name = proof["file"]
    if not isinstance(name, str) or Path(name).name != name:
        raise _RefusedError(f"the evidence {name!r} is not beside the verdict")
    journal = folder / name
    if digest(journal) != proof["sha256"]:
        raise _RefusedError(f"{journal}: the evidence is not the one that the verdict was made from")
    evidence = fold(read_records(journal))
    finished = evidence.finished_at
    if finished is None:
        raise _RefusedError(f"{journal}: the evidence of a run that never finished")
    decision = decide(evidence)
    follows = verdict_document(evidence, decision, proof=proof, exporters=document["reports"])
    different = sorted(_differences(document, follows))
    if different:
        raise _RefusedError(f"the verdict does not follow from its evidence: {', '.join(different)} differ")


def _differences(document: Mapping[str, Any], follows: Mapping[str, Any]) -> Iterator[str]:
    return (key for key in document.keys() | follows.keys() if document.get(key) != follows.get(key))


def _seconds(text: Any) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise _RefusedError(f"the time {text!r} has no zone")
    return moment.timestamp()
