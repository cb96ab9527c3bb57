"""Evidence on disk: append-only records with a digest over them, read back strictly and once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from postdeploy.documents import (
    VERDICT_FILE,
    parse,
    read_document,
    read_regular,
    refuse_link,
    refuse_linked_folder,
    render_document,
    why,
    write_atomically,
    write_document,
)
from postdeploy.errors import JournalError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ENVELOPE_FILE",
    "EVIDENCE_FILE",
    "VERDICT_FILE",
    "Journal",
    "JournalContent",
    "read_document",
    "read_journal",
    "render_document",
    "render_record",
    "write_atomically",
    "write_document",
]

EVIDENCE_FILE: Final = "evidence.jsonl"

ENVELOPE_FILE: Final = "verdict.dsse.json"
"""The signed statement about a verdict, beside it."""

_UNWRITABLE: Final = (OSError, ValueError, TypeError, RecursionError)
"""What the disk, or JSON, says of a record that it does not take."""

_ENCODE: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def render_record(record: Mapping[str, Any]) -> bytes:
    """A record as the line that stands for it. Raises ValueError or TypeError for what JSON cannot say."""
    return _ENCODE(record).encode("ascii") + b"\n"


class Journal:
    """The append-only record of one run, one JSON object a line; a new journal replaces an older one.

    After one record that could not be written nothing is written any more, so that no verdict rests on a part.

    Args:
        path: the file.
        scrub: what every suspicious record passes through before it is written.
        suspects: whether the JSON text of a record may hold what has to be scrubbed.
    """

    def __init__(
        self,
        path: Path,
        scrub: Callable[[Any], Any] = lambda record: record,
        suspects: Callable[[str], bool] = lambda _text: True,
    ) -> None:
        self.path = path
        self.count = 0
        self._scrub = scrub
        self._suspects = suspects
        self._digest = hashlib.sha256()
        self._broken: str | None = None
        refuse_linked_folder(path.parent)
        with self._unbroken():
            path.parent.mkdir(parents=True, exist_ok=True)
            refuse_link(path)
            path.unlink(missing_ok=True)
            self._file = path.open("xb")

    def append(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write one record, which survives the death of this process; returns it as written. Raises JournalError."""
        self._require_unbroken()
        try:
            written, line = self._rendered(record)
            self._file.write(line)
            self._file.flush()
        except _UNWRITABLE as error:
            raise self._broke(error) from error
        self._digest.update(line)
        self.count += 1
        return written

    def rewrite(self, records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Replace everything by these records, scrubbed; returns them as written. Raises JournalError."""
        with self._unbroken():
            written = [self._rendered(record) for record in records]
            content = b"".join(line for _, line in written)
            self._file.close()
            write_atomically(self.path, content)
            self._file = self.path.open("ab")
        self._digest, self.count = hashlib.sha256(content), len(written)
        return [record for record, _ in written]

    def _rendered(self, record: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
        line = render_record(record)
        if not self._suspects(line.decode("ascii")):
            return record, line
        scrubbed: Mapping[str, Any] = self._scrub(record)
        return scrubbed, render_record(scrubbed)

    def close(self, *, durable: bool = True) -> dict[str, Any]:
        """End the journal, on disk for good if ``durable``; returns its file name, digest and number of records."""
        with self._unbroken():
            self._file.flush()
            if durable:
                os.fsync(self._file.fileno())
            self._file.close()
        return {"file": self.path.name, "sha256": self._digest.hexdigest(), "records": self.count}

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close without a proof if it is still open."""
        with suppress(OSError):
            self._file.close()

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        self._require_unbroken()
        try:
            yield
        except _UNWRITABLE as error:
            raise self._broke(error) from error

    def _require_unbroken(self) -> None:
        if self._broken is not None:
            raise JournalError(self._broken)

    def _broke(self, error: Exception) -> JournalError:
        self._broken = f"{self.path}: the evidence cannot be written: {why(error)}"
        return JournalError(self._broken)


class JournalContent(NamedTuple):
    """A journal as it was read, once: its whole records, the digest of all its bytes, and whether its end is torn."""

    records: list[dict[str, Any]]
    sha256: str
    torn: bool


def read_journal(path: str | os.PathLike[str], sha256: str | None = None) -> JournalContent:
    """What a journal holds. Raises JournalError for anything that is no record, save a torn last line.

    With the digest that it must have nothing of another one is parsed; that is a JournalError, too.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise JournalError(f"{path}: the evidence cannot be read: {why(error)}") from error
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256:
        raise JournalError(f"{path}: the evidence is not the one that the verdict was made from")
    *lines, rest = content.split(b"\n")
    records = [_record(line, f"{path}:{number}") for number, line in enumerate(lines, start=1)]
    return JournalContent(records, digest, torn=bool(rest))


def _record(line: bytes, place: str) -> dict[str, Any]:
    try:
        record = parse(line)
    except (ValueError, RecursionError) as error:
        raise JournalError(f"{place}: not a record: {error}") from error
    if not isinstance(record, dict):
        raise JournalError(f"{place}: not a record: {line[:80]!r}")
    return record
