"""What the process with the journal and xdist's workers tell each other before the first report can be sent.

xdist carries reports, and nothing else at the right moment: what was collected is known before a test ends, and
whether the release is live only after the workers were started. Both pass through files in the reports folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from postdeploy.domain.evidence import ReleaseEvidence, ServiceState
from postdeploy.engine.engine import Readiness
from postdeploy.errors import JournalError
from postdeploy.journal import write_atomically
from postdeploy.lazy_dataclass import asdict

__all__ = ["Handover"]


class Handover:
    """The files of one run; nobody else reads them, and they are gone when it ends."""

    def __init__(self, reports: Path, run_id: str) -> None:
        self._reports = reports
        self._stem = f".{run_id}"
        self.budget = reports / f"{self._stem}.budget"

    def tell_plan(self, worker: str, plan: Mapping[str, Any]) -> None:
        """A worker has collected."""
        self._write(f"{self._stem}.plan.{worker}.json", plan)

    def plans(self) -> Iterator[Mapping[str, Any]]:
        """What the workers have collected."""
        for path in sorted(self._reports.glob(f"{self._stem}.plan.*.json")):
            yield json.loads(path.read_bytes())

    def tell_readiness(self, readiness: Readiness) -> None:
        """The wait for the release is over."""
        services = [asdict(state) for state in readiness.services]
        self._write(f"{self._stem}.ready.json", {"release": asdict(readiness.release), "services": services})

    def readiness(self) -> Readiness | None:
        """How the wait for the release went; None where nobody has said."""
        try:
            raw = json.loads((self._reports / f"{self._stem}.ready.json").read_bytes())
        except OSError:
            return None
        return Readiness(ReleaseEvidence(**raw["release"]), tuple(ServiceState(**each) for each in raw["services"]))

    def tell_alarm(self, worker: str, message: str) -> None:
        """A test of a worker has gone around our clients; told at once, for the worker may not live to report it."""
        with (self._reports / f"{self._stem}.alarm.{worker}.json").open("a", encoding="utf-8") as file:
            file.write(json.dumps(message) + "\n")

    def alarms(self) -> Iterator[str]:
        """What tests of the workers have tried."""
        for path in sorted(self._reports.glob(f"{self._stem}.alarm.*.json")):
            yield from map(str, map(json.loads, path.read_text("utf-8").splitlines()))

    def forget(self) -> None:
        """Remove the files."""
        for path in self._reports.glob(f"{self._stem}.*.json"):
            path.unlink(missing_ok=True)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        try:
            write_atomically(self._reports / name, json.dumps(content).encode("ascii"))
        except JournalError as error:
            raise OSError(str(error)) from error
