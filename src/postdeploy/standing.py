"""What is known now: the verdict as the gate believes it, or that nothing is proven."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from postdeploy.demand import Demand
from postdeploy.documents import read_document
from postdeploy.domain.mode import Mode
from postdeploy.domain.status import ExitStatus
from postdeploy.errors import DocumentError, RefusedError
from postdeploy.gate import Believed, believe, rule
from postdeploy.lazy_dataclass import dataclass, replace

__all__ = ["ASKED", "NO_PROOF", "Judge", "Standing"]

ASKED: Final = ("target", "release", "run_id")
"""What whoever asks may name; it has to be what the server was told, where it was told something."""

NO_PROOF: Final = "no_proof"
"""The reason of an answer for which there is no proof or a wrong one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the pipeline may do now.

    Args:
        verdict: ``pass``, ``fail`` or ``inconclusive``.
        action: ``promote``, ``hold`` or ``rollback``.
        reason: one of the closed list of a verdict's, or ``no_proof``.
        summary: one sentence.
        status: what ``postdeploy gate`` would exit with.
        demand: what was asked.
        believed: the verdict, where the gate believes it.
    """

    verdict: str
    action: str
    reason: str
    summary: str
    status: int
    demand: Demand
    believed: Believed | None = None


class Judge:
    """Asks the gate each time: what is on disk may have been changed, and a verdict ages.

    Args:
        path: the verdict, or what says where it is at the moment.
        demand: what it must be about; its ``now`` is that of each question.
        clock: seconds since the epoch.
    """

    def __init__(self, path: Path | Callable[[], Path], demand: Demand, clock: Callable[[], float]) -> None:
        self._path = path
        self._demand = demand
        self._clock = clock
        self._one_at_a_time = threading.Lock()

    def of_any_mode(self) -> Judge:
        """The same for whoever wants to know how the target is, and decides nothing."""
        return Judge(self._path, replace(self._demand, modes=tuple(mode.value for mode in Mode)), self._clock)

    def is_under_way(self) -> bool:
        """Whether what is on disk is of a run that has begun and not yet ended."""
        try:
            return read_document(self._place()).get("state") == "started"
        except DocumentError:
            return False

    def _place(self) -> Path:
        return self._path() if callable(self._path) else self._path

    def standing(self, asked: Mapping[str, str]) -> Standing:
        """What is known now; ``asked`` are values of what may be named. Raises nothing: what breaks proves nothing."""
        with self._one_at_a_time:
            demand = replace(self._demand, now=self._clock())
            try:
                demand = _narrowed(demand, asked)
                return _believed(believe(self._place(), demand), demand)
            except RefusedError as error:
                return _refused(str(error), demand)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is no proof
                return _refused(f"the verdict could not be judged: {type(error).__name__}", demand)


def _narrowed(demand: Demand, asked: Mapping[str, str]) -> Demand:
    """The demand with what was asked. Raises RefusedError where the server answers about something else."""
    for name, value in asked.items():
        fixed = getattr(demand, name)
        if fixed is not None and fixed != value:
            raise RefusedError(f"this server answers about {name.partition('_')[0]} {fixed!a}, not {value!a}")
    told = {"target": demand.target, "release": demand.release, "run_id": demand.run_id} | dict(asked)
    return replace(demand, target=str(told["target"]), release=told["release"], run_id=told["run_id"])


def _believed(believed: Believed, demand: Demand) -> Standing:
    document, status = believed.document, rule(believed.document).status
    action = {ExitStatus.PROMOTE: "promote", ExitStatus.ROLLBACK: "rollback"}.get(ExitStatus(status), "hold")
    about = (document["verdict"], action, document["reason"], document["summary"])
    return Standing(*about, status, demand, believed)


def _refused(why: str, demand: Demand) -> Standing:
    status = int(ExitStatus.NO_PROOF)
    return Standing("inconclusive", "hold", NO_PROOF, f"refused: {why}", status, demand)
