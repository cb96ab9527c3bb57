"""What is known of a resident monitor: ``watch.json`` in its reports folder, replaced whole after every change.

Whoever reads it gets the last whole run, too: ``last.folder`` has its reports, which stay while there is no newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from postdeploy.documents import read_document, write_document
from postdeploy.errors import DocumentError
from postdeploy.lazy_dataclass import asdict, dataclass, replace

__all__ = ["LAST", "WATCH_FILE", "LastRun", "WatchFacts", "read_watch", "write_watch"]

WATCH_FILE: Final = "watch.json"

LAST: Final = 60
"""How many durations are kept."""

_SCHEMA: Final = "postdeploy/watch/1"


@dataclass(frozen=True, slots=True)
class LastRun:
    """A run that came to its end; times in seconds since the epoch.

    Args:
        id: the name of the run.
        started: when.
        duration: seconds, with all that follows the verdict.
        cpu: seconds of processor time of all its processes.
        status: its exit status; negative for the signal that ended it.
        verdict: ``pass``, ``fail`` or ``inconclusive``.
        reason: of the verdict, or ``incomplete`` where none was sealed.
        checks: how many were planned.
        passed: how many passed.
        folder: its reports, relative to the reports folder; None where they could not be kept.
    """

    id: str
    started: float
    duration: float
    cpu: float
    status: int
    verdict: str
    reason: str
    checks: int = 0
    passed: int = 0
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class WatchFacts:
    """The state of a monitor; times in seconds since the epoch.

    Args:
        target: what it watches.
        every: seconds between two ticks.
        pid: its process.
        since: when the first monitor of this folder and target began, which the counts go back to.
        started: when this process began.
        runs: how many runs came to their end.
        missed: how many ticks had no run: the one before was not over, the machine slept, or the monitor had died.
        lost: how many runs ended without a sealed verdict of their own, such as by a kill.
        running: the run that is under way.
        running_since: when it began.
        last: the newest that is over.
        durations: of the newest runs, oldest first, in seconds.
        due: when the next tick is.
        updated: when this was written.
        stopped: when the monitor ended as it was asked to; None while it is there, and after it was killed.
    """

    target: str
    every: float
    pid: int
    since: float
    started: float
    runs: int = 0
    missed: int = 0
    lost: int = 0
    running: str | None = None
    running_since: float | None = None
    last: LastRun | None = None
    durations: tuple[float, ...] = ()
    due: float | None = None
    updated: float = 0.0
    stopped: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        facts = asdict(self)
        return {"schema": _SCHEMA} | facts | {"durations": list(self.durations)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> WatchFacts:
        """The reverse; unknown keys are a newer version's. Raises DocumentError."""
        try:
            if raw["schema"] != _SCHEMA:
                raise DocumentError(f"not of schema {_SCHEMA!r}")
            last = _LAST_RUN.read(raw["last"]) if raw["last"] is not None else None
            facts: WatchFacts = _FACTS.read(raw)
            return replace(facts, last=last, durations=tuple(map(float, raw["durations"])))
        except (KeyError, TypeError, ValueError) as error:
            raise DocumentError(f"not the facts of a monitor: {error!r}") from error

    def ended(self, run: LastRun, *, sealed: bool) -> WatchFacts:
        """After a run."""
        return replace(
            self, runs=self.runs + 1, lost=self.lost + (not sealed), last=run, running=None, running_since=None,
            durations=(*self.durations, run.duration)[-LAST:],
        )  # fmt: skip


class _Shape:
    """The names and types of a class's facts, as JSON has them."""

    def __init__(self, made: type[Any], **types: type | tuple[type, ...]) -> None:
        self._made = made
        self._types = types

    def read(self, raw: Mapping[str, Any]) -> Any:
        """An object of the class. Raises KeyError, TypeError."""
        given = {name: raw[name] for name in self._types}
        for name, value in given.items():
            if not isinstance(value, self._types[name]) or isinstance(value, bool):
                raise TypeError(f"{name} is {value!r}")
        return self._made(**given)


_NUMBER: Final = (int, float)
_MAYBE_NUMBER: Final = (int, float, type(None))
_MAYBE_TEXT: Final = (str, type(None))

_LAST_RUN: Final = _Shape(
    LastRun, id=str, started=_NUMBER, duration=_NUMBER, cpu=_NUMBER, status=int, verdict=str, reason=str, checks=int,
    passed=int, folder=_MAYBE_TEXT,
)  # fmt: skip
_FACTS: Final = _Shape(
    WatchFacts, target=str, every=_NUMBER, pid=int, since=_NUMBER, started=_NUMBER, runs=int, missed=int, lost=int,
    running=_MAYBE_TEXT, running_since=_MAYBE_NUMBER, due=_MAYBE_NUMBER, updated=_NUMBER, stopped=_MAYBE_NUMBER,
)  # fmt: skip


def read_watch(reports: Path) -> WatchFacts:
    """The facts of the monitor that writes, or has written, to this reports folder. Raises DocumentError."""
    path = reports / WATCH_FILE
    try:
        return WatchFacts.from_json(read_document(path))
    except DocumentError as error:
        raise DocumentError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error


def write_watch(reports: Path, facts: WatchFacts, *, now: float) -> None:
    """Replace what is known. Raises JournalError."""
    write_document(reports / WATCH_FILE, replace(facts, updated=now).to_json())
