"""The judge that a pipeline asks before it acts: reads a sealed verdict, and believes it only where it can be proven.

It imports the domain and the journal only: neither pytest nor anything that a user wrote runs in its process. Each file
is read once, so that nothing can take its place between two looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from postdeploy import __version__
from postdeploy.documents import parse, read_regular, render_document, why
from postdeploy.domain.decision import decide
from postdeploy.domain.document import SCHEMA, verdict_document
from postdeploy.domain.evidence import EvidenceError, fold
from postdeploy.domain.status import ExitStatus, status_of
from postdeploy.errors import JournalError
from postdeploy.journal import EVIDENCE_FILE, JournalContent, read_journal

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
        document = _believe(path, demand)
    except (_RefusedError, JournalError, EvidenceError) as error:
        return Ruling(ExitStatus.NO_PROOF, f"refused: {error}")
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        return Ruling(ExitStatus.NO_PROOF, f"refused: {path}: not a verdict: {error!r}")
    return _ruling(document)


def _believe(path: Path, demand: Demand) -> Mapping[str, Any]:
    """The document, if it is about what was asked and follows from its evidence to the last byte."""
    content = _content(path)
    document = _parsed(path, content)
    for question in _QUESTIONS:
        question(document, demand)
    follows = _follows(document, path.parent)
    different = sorted(_differences(document, follows))
    if different:
        raise _RefusedError(_not_following(document, different))
    if content != render_document(follows):
        raise _RefusedError(f"{path}: not written as it was sealed")
    return document


def _content(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise _RefusedError(f"{path}: {why(error)}") from error


def _parsed(path: Path, content: bytes) -> Mapping[str, Any]:
    if not content.strip():
        raise _RefusedError(f"{path}: empty")
    try:
        document = parse(content)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise _RefusedError(f"{path}: not a verdict")
    return document


def _ruling(document: Mapping[str, Any]) -> Ruling:
    sentence = f"{document['verdict']}, {document['action']}: {document['reason']}: {document['summary']}"
    status = status_of(document["verdict"], document["action"], document["reason"])
    acts = status in {ExitStatus.PROMOTE, ExitStatus.ROLLBACK}
    return Ruling(status if acts else int(ExitStatus.HOLD), sentence)


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


def _follows(document: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """The document that follows from the evidence beside the verdict."""
    name, told = document["evidence"]["file"], document["evidence"]["sha256"]
    if name != EVIDENCE_FILE:
        raise _RefusedError(f"the evidence is {name!r} and not {EVIDENCE_FILE!r} beside the verdict")
    journal = folder / EVIDENCE_FILE
    content = read_journal(journal)
    if content.sha256 != told:
        raise _RefusedError(f"{journal}: the evidence is not the one that the verdict was made from")
    if content.torn:
        raise _RefusedError(f"{journal}: the last line of the evidence is torn")
    return _made_again(content, document["reports"])


def _made_again(content: JournalContent, reports: Mapping[str, str]) -> Mapping[str, Any]:
    evidence = fold(content.records)
    if evidence.finished_at is None:
        raise _RefusedError("the evidence is of a run that never finished")
    proof = {"file": EVIDENCE_FILE, "sha256": content.sha256, "records": len(content.records)}
    return verdict_document(evidence, decide(evidence), proof=proof, exporters=reports)


def _differences(document: Mapping[str, Any], follows: Mapping[str, Any]) -> Iterator[str]:
    return (key for key in document.keys() | follows.keys() if document.get(key) != follows.get(key))


def _not_following(document: Mapping[str, Any], keys: list[str]) -> str:
    text = f"the verdict does not follow from its evidence: {', '.join(keys)}"
    version = document["run"]["tool"]["version"]
    return text if version == __version__ else f"{text} (sealed by version {version}, this gate is {__version__})"


def _seconds(text: Any) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise _RefusedError(f"the time {text!r} has no zone")
    return moment.timestamp()
