"""What ``gate begin`` remembers for ``gate check``: which run was named, about what, when, and that it was accepted.

One file a run, outside of the reports folder, so that a run which writes its reports does not write over it.
"""

# ruff: noqa: PTH100, PTH103, PTH111, PTH118

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from postdeploy.documents import read_document, why, write_document
from postdeploy.domain.reading import mapping, number, optional_text, text
from postdeploy.errors import DocumentError, JournalError
from postdeploy.lazy_dataclass import asdict, dataclass

__all__ = ["Begun", "PipelineState", "default_place", "new_run_id"]

_SCHEMA: Final = "postdeploy/pipeline-state/1"
_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")
_NONCE: Final = 16
"""Bytes: 128 bits that nobody guesses."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that the pipeline has named; ``begun`` is in seconds since the epoch."""

    run_id: str
    target: str
    release: str | None
    begun: float
    urls: Mapping[str, str]
    config: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Begun:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        return cls(
            run_id=text(raw["run_id"]),
            target=text(raw["target"]),
            release=optional_text(raw["release"]),
            begun=number(raw["begun"]),
            urls={name: text(url) for name, url in mapping(raw["urls"]).items()},
            config=text(raw["config"]),
        )

    def require(self, target: str, release: str | None) -> None:
        """Raises JournalError if the run was begun for something else."""
        if (target, release) != (self.target, self.release):
            ours, theirs = _about(self.target, self.release), _about(target, release)
            raise JournalError(f"the run {self.run_id} was begun for {ours}, not for {theirs}")


def _about(target: str, release: str | None) -> str:
    return f"target '{target}' and " + (f"release '{release}'" if release is not None else "no release")


def new_run_id() -> str:
    """A name that sorts by time, with 128 bits of chance."""
    return time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + os.urandom(_NONCE).hex()


def default_place(environment: Mapping[str, str]) -> str:
    """The folder of states of this user: below ``$XDG_STATE_HOME`` or ``~/.local/state``."""
    home = environment.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "postdeploy")


class PipelineState:
    """The states in one folder, which is its owner's alone."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.abspath(folder)

    def path(self, run_id: str) -> str:
        """The file of a run. Raises JournalError for a name that cannot be one."""
        if not _NAME.fullmatch(run_id):
            raise JournalError(f"{run_id!r} is no name of a run that gate begin has given")
        return os.path.join(self.folder, f"{run_id}.json")

    def open(self, begun: Begun) -> str:
        """Remember a run; returns the file. Raises JournalError."""
        path = self.path(begun.run_id)
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise JournalError(f"{self.folder}: cannot be made: {why(error)}") from error
        write_document(path, {"schema": _SCHEMA} | asdict(begun))
        return path

    def read(self, run_id: str) -> Begun:
        """What was remembered of a run that was not accepted yet. Raises JournalError."""
        path = self.path(run_id)
        if os.path.lexists(self._mark(run_id)):
            raise JournalError(f"the run {run_id} was accepted before; a verdict is accepted once")
        try:
            document = read_document(path)
            if document["schema"] != _SCHEMA:
                raise JournalError(f"{path}: the schema is {document['schema']!r}, this gate reads {_SCHEMA!r}")
            begun = Begun.from_json(document)
        except DocumentError as error:
            raise JournalError(f"no run {run_id} was begun here: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(f"{path}: not a state of a pipeline: {error!r}") from error
        if begun.run_id != run_id:
            raise JournalError(f"{path}: the state is of run {begun.run_id}")
        return begun

    def accept(self, run_id: str) -> None:
        """Remember that a run was accepted; only the first of many succeeds. Raises JournalError."""
        try:
            handle = os.open(self._mark(run_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError as error:
            raise JournalError(f"the run {run_id} was accepted before; a verdict is accepted once") from error
        except OSError as error:
            raise JournalError(f"{self._mark(run_id)}: cannot be written: {why(error)}") from error
        os.fsync(handle)
        os.close(handle)
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _mark(self, run_id: str) -> str:
        return f"{self.path(run_id)}.accepted"
