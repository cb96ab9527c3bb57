"""False alarms: how many of many runs against a healthy target end in anything but a pass."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Final

from benchmarks.parts import End, count_in_parts, counted
from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Finding, Table

__all__ = ["RUNS", "healthy_runs", "table_of"]

RUNS: Final = 1000
_CHECKS: Final = 20
_NAME: Final = "healthy-runs"


def healthy_runs(place: Place, runs: int = RUNS) -> Iterator[Table]:
    """Whole processes, one after another, each with checks of its own server; goes on where it was broken off."""
    folder = declared(place.folder / "healthy", place.port, checks=_CHECKS)
    command = place.ours("healthy", folder, autoload=False)

    def run(_number: int) -> End:
        status = subprocess.run(
            command.arguments, cwd=folder, env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False,
        ).returncode  # fmt: skip
        document = json.loads((folder / "reports" / "verdict.json").read_bytes())
        return document["verdict"], document["reason"], str(status)

    for _ in count_in_parts(_NAME, runs, run, place.progress):
        pass
    ends = counted(_NAME)
    table = table_of(f"{ends.total()} healthy runs of {_CHECKS} checks", ends)
    table.findings = [
        _none("no run fails", ends, {"pass", "inconclusive"}),
        _none("no run is anything but a pass", ends, {"pass"}),
    ]
    yield table


def table_of(title: str, ends: Counter[End]) -> Table:
    """How often runs ended how."""
    rows = [[*end, str(count)] for end, count in ends.most_common()]
    return Table(title, ("verdict", "reason", "exit status", "runs"), rows)


def _none(goal: str, ends: Counter[End], right: set[str]) -> Finding:
    wrong = sum(count for (verdict, _, _), count in ends.items() if verdict not in right)
    return Finding(goal, f"{wrong} of {ends.total()}", wrong == 0)
