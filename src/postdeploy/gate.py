"""The judge that a pipeline asks before it acts: reads a sealed verdict, and believes it only where it can be proven.

It imports the domain and the journal only: neither pytest nor anything that a user wrote runs in its process. Each file
is read once, so that nothing can take its place between two looks. A pipeline waits for its start, so it does without
pathlib, which costs milliseconds, and imports what checks signatures where one is demanded.
"""

# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from postdeploy import __version__
from postdeploy.demand import QUESTIONS, Demand
from postdeploy.documents import VERDICT_FILE, parse, read_regular, refuse_linked_folder, render_document, why
from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import EvidenceError, fold
from postdeploy.domain.status import ExitStatus, status_of
from postdeploy.errors import JournalError, RefusedError, SignatureError
from postdeploy.journal import ENVELOPE_FILE, EVIDENCE_FILE, JournalContent, read_journal
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Believed", "Demand", "Ruling", "believe", "judge", "refuse", "rule"]

_Path = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Ruling:
    """The exit status of the gate and one sentence that says why."""

    status: int
    sentence: str


class Believed(NamedTuple):
    """A verdict that follows from its evidence to the last byte, and the digest of its file."""

    document: Mapping[str, Any]
    sha256: str


def refuse(reason: object) -> Ruling:
    """No proof or wrong proof, in one sentence."""
    return Ruling(int(ExitStatus.NO_PROOF), f"refused: {reason}")


def judge(path: _Path, demand: Demand) -> Ruling:
    """Believe the verdict file and pass on its action, or refuse it with status 30."""
    try:
        return rule(believe(path, demand).document)
    except RefusedError as error:
        return refuse(error)


def believe(path: _Path, demand: Demand) -> Believed:
    """The verdict, if it is about what was asked and follows from its evidence. Raises RefusedError."""
    try:
        return _believe(path, demand)
    except (JournalError, EvidenceError, SignatureError) as error:
        raise RefusedError(str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise RefusedError(f"{path}: not a verdict: {error!r}") from error


def rule(document: Mapping[str, Any]) -> Ruling:
    """What a verdict that is believed says to the pipeline."""
    sentence = f"{document['verdict']}, {document['action']}: {document['reason']}: {document['summary']}"
    status = status_of(document["verdict"], document["action"], document["reason"])
    acts = status in {ExitStatus.PROMOTE, ExitStatus.ROLLBACK}
    return Ruling(status if acts else int(ExitStatus.HOLD), sentence)


def _believe(path: _Path, demand: Demand) -> Believed:
    content = _content(path)
    stated = _stated(path, content, demand) if demand.keys else None
    document = _parsed(path, content)
    for question in QUESTIONS:
        question(document, demand)
    follows = _follows(document, os.path.dirname(path))
    different = sorted(_differences(document, follows))
    if different:
        raise RefusedError(_not_following(document, different))
    if content != render_document(follows):
        raise RefusedError(f"{path}: not written as it was sealed")
    believed = Believed(document, _sha256(content))
    if stated is not None:
        _require_stated(stated, believed)
    return believed


def _stated(path: _Path, content: bytes, demand: Demand) -> Mapping[str, Any]:
    """What was signed about the verdict; nothing is parsed before the signature holds, and then only what it covers."""
    from postdeploy.domain.attestation import subject_digest
    from postdeploy.dsse import open_envelope

    envelope = os.path.join(os.path.dirname(path), ENVELOPE_FILE)
    try:
        sealed = read_regular(envelope)
    except OSError as error:
        raise RefusedError(f"the verdict is not signed: {envelope}: {why(error)}") from error
    try:
        payload = open_envelope(sealed, demand.keys)
    except SignatureError as error:
        raise RefusedError(f"{envelope}: {error}") from error
    stated: Mapping[str, Any] = parse(payload)
    if subject_digest(stated, VERDICT_FILE) != _sha256(content):
        raise RefusedError(f"{path}: not the verdict that was signed")
    return stated


def _require_stated(stated: Mapping[str, Any], believed: Believed) -> None:
    from postdeploy.domain.attestation import statement

    if stated != statement(*believed):
        raise RefusedError("the signed statement does not follow from the verdict")


def _content(path: _Path) -> bytes:
    try:
        refuse_linked_folder(os.path.dirname(path))
        return read_regular(path)
    except JournalError as error:
        raise RefusedError(str(error)) from error
    except OSError as error:
        raise RefusedError(f"{path}: {why(error)}") from error


def _parsed(path: _Path, content: bytes) -> Mapping[str, Any]:
    if not content.strip():
        raise RefusedError(f"{path}: empty")
    try:
        document = parse(content)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RefusedError(f"{path}: not a verdict")
    return document


def _follows(document: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
    """The document that follows from the evidence beside the verdict."""
    name, told = document["evidence"]["file"], document["evidence"]["sha256"]
    if name != EVIDENCE_FILE:
        raise RefusedError(f"the evidence is {name!r} and not {EVIDENCE_FILE!r} beside the verdict")
    journal = os.path.join(folder, EVIDENCE_FILE)
    content = read_journal(journal, told)
    if content.torn:
        raise RefusedError(f"{journal}: the last line of the evidence is torn")
    return _made_again(content, document["reports"])


def _made_again(content: JournalContent, reports: Mapping[str, str]) -> Mapping[str, Any]:
    evidence = fold(content.records)
    if evidence.finished_at is None:
        raise RefusedError("the evidence is of a run that never finished")
    proof = {"file": EVIDENCE_FILE, "sha256": content.sha256, "records": len(content.records)}
    return verdict_document(evidence, decide(evidence), proof=proof, exporters=reports)


def _differences(document: Mapping[str, Any], follows: Mapping[str, Any]) -> Iterator[str]:
    return (key for key in document.keys() | follows.keys() if document.get(key) != follows.get(key))


def _not_following(document: Mapping[str, Any], keys: list[str]) -> str:
    text = f"the verdict does not follow from its evidence: {', '.join(keys)}"
    version = document["run"]["tool"]["version"]
    return text if version == __version__ else f"{text} (sealed by version {version}, this gate is {__version__})"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
