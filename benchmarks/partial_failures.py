"""Row N08 of the fault matrix, many times: a quarter of all answers is wrong, or a few connections are reset."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.healthy_runs import table_of
from benchmarks.parts import End, count_in_parts, counted
from benchmarks.place import Place
from benchmarks.tables import Finding, Table
from tests.faults.project import Project
from tests.faults.server import Answer, FaultServer, Seen, serve

__all__ = ["RUNS", "partial_failures"]

RUNS: Final = 200


@dataclass(frozen=True, slots=True)
class _Case:
    """A share of answers that are such ones, and the share of runs that must end so."""

    name: str
    title: str
    share: float
    answer: Answer
    checks: int
    more: str
    verdict: str
    least: float


_CASES: Final = (
    _Case("a-quarter-fails", "25 % of answers are a 500, and 4 checks ask ten times each", 0.25, Answer(500), 4,
          ", repeat: {times: 10, pass: 10}", "fail", 0.94),
    _Case("a-few-resets", "0.5 % of connections are reset, and 30 checks ask once each", 0.005, Answer(reset=True), 30,
          "", "pass", 0.999),
)  # fmt: skip


def partial_failures(place: Place, runs: int = RUNS) -> Iterator[Table]:
    """Processes one after another, each with chances of its own; goes on where it was broken off."""
    for case in _CASES:
        with serve() as server:
            folder = place.folder / case.name
            folder.mkdir()
            project = Project(folder, server.url, 0, lambda *_: None)
            project.suite("\n".join(
                f"- {{name: c{number}, get: 'api:/ok/{number}', expect: {{status: 200}}{case.more}}}"
                for number in range(case.checks)
            ))  # fmt: skip
            for _ in count_in_parts(case.name, runs, partial(_run, project, server, case), place.progress):
                pass
        ends = counted(case.name)
        right = sum(count for (verdict, _, _), count in ends.items() if verdict == case.verdict)
        table = table_of(f"{ends.total()} runs in which {case.title}", ends)
        enough = right >= case.least * ends.total()
        table.findings = [Finding(f"at least {case.least:.1%} {case.verdict}", f"{right} of {ends.total()}", enough)]
        yield table


def _run(project: Project, server: FaultServer, case: _Case, seed: int) -> End:
    chance, lock = random.Random(seed), threading.Lock()

    def reply(seen: Seen) -> Answer:
        with lock:
            return case.answer if seen.path.startswith("/ok/") and chance.random() < case.share else Answer()

    server.reset()
    server.fallback = reply
    run = project.run()
    return run.document["verdict"], run.document["reason"], str(run.status)
