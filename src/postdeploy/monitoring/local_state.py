"""The state of alerts in a file beside the reports folder: for a history that is away, and where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from postdeploy.documents import read_document, render_document, write_atomically
from postdeploy.domain.alert import AlertState
from postdeploy.domain.mute import Deploy
from postdeploy.errors import DocumentError
from postdeploy.lazy_dataclass import dataclass

__all__ = ["LocalState", "exclusive", "place_of"]

_SCHEMA: Final = "postdeploy/alerts/1"


def place_of(reports: Path) -> Path:
    """The file beside a reports folder, where clearing the folder leaves it alone."""
    whole = reports.absolute()
    return whole.with_name(f"{whole.name}.alerts.json") if whole.name else whole / "alerts.json"


@dataclass(frozen=True, slots=True)
class LocalState:
    """What one machine knows of one target.

    Args:
        base: the version of the shared state that this one began with.
        deploys: those that the history knew of when it was last asked.
    """

    state: AlertState | None = None
    base: int = 0
    deploys: tuple[Deploy, ...] = ()

    @classmethod
    def read(cls, path: Path, target: str) -> LocalState:
        """What the file says of a target; nothing if it is not there. Raises DocumentError if it is something else."""
        found = _targets(path).get(target)
        if found is None:
            return cls()
        try:
            deploys = tuple(Deploy.from_json(each) for each in found["deploys"])
            return cls(AlertState.from_json(found["state"]), int(found["base"]), deploys)
        except (KeyError, TypeError, ValueError) as error:
            raise DocumentError(f"{path}: does not hold the alerts of {target}: {error!r}") from error

    def write(self, path: Path, target: str, *, durable: bool) -> None:
        """Keep it beside those of other targets; what the history has need not be ``durable``. Raises JournalError."""
        try:
            others = _targets(path)
        except DocumentError:
            others = {}  # whoever read it has said so
        own = {
            "base": self.base,
            "state": self.state and self.state.to_json(),
            "deploys": [deploy.to_json() for deploy in self.deploys],
        }
        content = render_document({"schema": _SCHEMA, "targets": {**others, target: own}})
        write_atomically(path, content, durable=durable)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Nobody else who asks for the same file gets past here meanwhile. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # pragma: no cover - a system without such locks has one monitor a folder
        return
    fcntl.flock(handle, fcntl.LOCK_EX)


def _targets(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    document = read_document(path)
    targets = document.get("targets")
    if document.get("schema") != _SCHEMA or not isinstance(targets, dict):
        raise DocumentError(f"{path}: does not hold alerts")
    return targets
