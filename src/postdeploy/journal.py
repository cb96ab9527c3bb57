"""Evidence on disk: append-only records, a digest over them, and files that are whole or not there at all."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

from postdeploy.errors import DocumentError, JournalError

__all__ = [
    "EVIDENCE_FILE",
    "VERDICT_FILE",
    "Journal",
    "digest",
    "read_document",
    "read_records",
    "write_atomically",
    "write_document",
]

EVIDENCE_FILE: Final = "evidence.jsonl"
VERDICT_FILE: Final = "verdict.json"


class Journal:
    """The append-only record of one run, one JSON object a line; a new journal replaces an older one.

    Args:
        path: the file.
        scrub: what every record passes through before it is written.
    """

    def __init__(self, path: Path, scrub: Callable[[Any], Any] = lambda record: record) -> None:
        self.path = path
        self.count = 0
        self._scrub = scrub
        self._digest = hashlib.sha256()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _refuse_link(path)
            path.unlink(missing_ok=True)
            self._file = path.open("xb")
        except OSError as error:
            raise JournalError(f"{path}: the evidence cannot be written: {error.strerror}") from error

    def append(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write one record, which survives the death of this process; returns it as written. Raises JournalError."""
        written: Mapping[str, Any] = self._scrub(record)
        line = json.dumps(written, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise JournalError(f"{self.path}: the evidence cannot be written: {error.strerror}") from error
        self._digest.update(line)
        self.count += 1
        return written

    def close(self) -> dict[str, Any]:
        """End the journal, on disk for good; returns its file name, digest and number of records."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise JournalError(f"{self.path}: the evidence cannot be written: {error.strerror}") from error
        finally:
            self._file.close()
        return {"file": self.path.name, "sha256": self._digest.hexdigest(), "records": self.count}

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close without a proof if it is still open."""
        self._file.close()


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a journal; a torn last line is left out. Raises JournalError for anything else that is wrong."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise JournalError(f"{path}: the evidence cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines[:-1], start=1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise JournalError(f"{path}:{number}: not a record: {error}") from error
        if not isinstance(record, dict):
            raise JournalError(f"{path}:{number}: not a record: {line[:80]!r}")
        yield record


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises JournalError."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise JournalError(f"{path}: the evidence cannot be read: {error.strerror}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that it is the old one or the whole new one, whatever happens. Raises JournalError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_link(path)
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise JournalError(f"{path}: cannot be written: {error.strerror}") from error


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document atomically. Raises JournalError."""
    write_atomically(path, json.dumps(document, indent=1, allow_nan=False).encode("ascii") + b"\n")


def read_document(path: Path) -> dict[str, Any]:
    """A JSON document of ours, read strictly. Raises DocumentError."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise DocumentError(f"{path}: not a regular file")
        document = json.loads(path.read_bytes(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except OSError as error:
        raise DocumentError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise DocumentError(f"{path}: not a verdict")
    return document


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise JournalError(f"{path}: a symbolic link; reports are written to regular files only")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
