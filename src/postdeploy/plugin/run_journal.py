"""The journal of a run and the verdict that follows from it: opened pessimistically, appended to, sealed once."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from postdeploy.documents import (
    VERDICT_FILE,
    make_durable,
    read_document,
    read_regular,
    render_document,
    why,
    write_atomically,
    write_document,
)
from postdeploy.domain.document import started_document, verdict_document
from postdeploy.domain.evidence import Evidence, fold
from postdeploy.domain.redaction import Redactor
from postdeploy.errors import DocumentError, JournalError
from postdeploy.journal import EVIDENCE_FILE, Journal
from postdeploy.plugin.settings import Settings
from postdeploy.plugin.signals import Signals
from postdeploy.reports import planned

if TYPE_CHECKING:
    from postdeploy.domain.verdict import Verdict

__all__ = ["RunJournal"]

_INTERRUPTED: Final = 2
"""Pytest's status."""


class RunJournal:
    """Written to from pytest's thread and from the engine's. Raises JournalError where the disk refuses."""

    def __init__(self, settings: Settings, signals: Signals) -> None:
        self.path = settings.reports / VERDICT_FILE
        self.records: list[Mapping[str, Any]] = []
        self._reports = planned(settings.formats) if settings.formats else {}
        self.redactor = Redactor()
        self._journal = Journal(settings.reports / EVIDENCE_FILE, self._scrub, self._suspects)
        self._signals = signals
        self._lock = threading.RLock()
        self._sealed = False
        self._broken: JournalError | DocumentError | None = None
        self._known: int | None = None
        self._outcome: tuple[Evidence, Verdict] | None = None
        self._written: tuple[bytes, dict[str, Any]] | None = None

    def open(self, record: Mapping[str, Any]) -> None:
        """Write the first record and the pessimistic verdict; from here on no death looks like a pass."""
        self.append(record)
        write_document(self.path, self._scrub(started_document(record)))

    def append(self, record: Mapping[str, Any]) -> None:
        """Keep a record; what comes after the seal is too late, and a disk that refuses is told of once."""
        with self._signals.postponed(), self._lock:
            if self._sealed or self._broken:
                return
            if self._known is None:
                self._known = len(self.redactor.known)
            try:
                self.records.append(self._journal.append(record))
            except JournalError as error:
                self._broken = error
                raise

    def seal(self, pytest_exit: int, *, at_once: bool = False) -> tuple[Evidence, Verdict]:
        """Decide, and write the verdict for good, once. Raises JournalError or DocumentError if it is not on disk.

        Whoever ends this process may not wait for a busy disk: ``at_once``, the verdict can be read before it is
        forced to the disk. What a loss of power leaves of it in between is at worst no verdict.
        """
        with self._signals.postponed(), self._lock:
            try:
                self._outcome = self._outcome or self._seal(pytest_exit, at_once=at_once)
            except (JournalError, DocumentError) as error:
                self._broken = error
                _withdraw(self.path)
                raise
            return self._outcome

    def revise(self, run_id: str, reason: str, message: str) -> Verdict | None:
        """Seal again what a signal came into while it was sealed; None if nothing was. Raises JournalError."""
        if self._outcome is None:
            return None
        from postdeploy.salvage import salvage

        return salvage(self.path.parent, run_id, reason=reason, message=message, status=_INTERRUPTED, at=time.time())

    def _seal(self, pytest_exit: int, *, at_once: bool) -> tuple[Evidence, Verdict]:
        from postdeploy.domain.decision import decide

        self.append({"record": "finished", "at": time.time(), "pytest_exit": pytest_exit})
        self._sealed = True
        if self._broken is not None:
            raise self._broken
        proof = self._journal.close(durable=not at_once)
        evidence = fold(self.records)
        verdict = decide(evidence)
        document = verdict_document(evidence, verdict, proof=proof, exporters=self._reports)
        content = render_document(document)
        _require(self._journal.path, proof["sha256"])
        write_atomically(self.path, content, durable=not at_once)
        _require(self.path, hashlib.sha256(content).hexdigest())
        if at_once:
            make_durable(self._journal.path, self.path)
        self._written = content, document
        return evidence, verdict

    def document(self) -> dict[str, Any]:
        """The verdict as it stands on disk; not parsed where that is what was sealed here. Raises DocumentError."""
        if self._written is not None:
            content, document = self._written
            with suppress(OSError):
                if read_regular(self.path) == content:
                    return document
        return read_document(self.path)

    def scrub_again(self) -> None:
        """Take out of what is written already what was learnt to be secret later. Raises JournalError."""
        with self._signals.postponed(), self._lock:
            if not self._sealed and self._broken is None and len(self.redactor.known) != self._known:
                scrubbed = [self._scrub(record) for record in self.records]
                if scrubbed != self.records:
                    self.records = self._journal.rewrite(scrubbed)

    def _scrub(self, record: Any) -> Any:
        return self.redactor.tree(record)

    def _suspects(self, line: str) -> bool:
        return self.redactor.suspects(line)


def _withdraw(path: Path) -> None:
    """What could not be made safe is no verdict, even where it stands in the file already."""
    with suppress(DocumentError, KeyError, OSError):
        if read_document(path)["state"] != "started":
            path.unlink()


def _require(path: Path, sha256: str) -> None:
    """Read back what was written: something else may have taken it away, or not have kept it."""
    try:
        content = read_regular(path)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read back: {why(error)}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DocumentError(f"{path}: what was read back is not what was written; does another run use this folder?")
