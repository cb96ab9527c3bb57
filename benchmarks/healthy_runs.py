"""False alarms: how many of many runs against a healthy target end in anything but a pass."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Final

from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Finding, Table

__all__ = ["RUNS", "healthy_runs"]

RUNS: Final = 1000
_CHECKS: Final = 20
_EVERY: Final = 50


def healthy_runs(place: Place, runs: int = RUNS) -> Iterator[Table]:
    """Whole processes, one after another, each with checks of its own server; what each sealed is counted."""
    folder = declared(place.folder / "healthy", place.port, checks=_CHECKS)
    command = place.ours("healthy", folder, autoload=False)
    ends: Counter[tuple[str, str, str]] = Counter()
    for number in range(1, runs + 1):
        status = subprocess.run(
            command.arguments, cwd=folder, env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False,
        ).returncode  # fmt: skip
        document = json.loads((folder / "reports" / "verdict.json").read_bytes())
        ends[document["verdict"], document["reason"], str(status)] += 1
        if not number % _EVERY:
            place.progress(f"(healthy-runs: {number} of {runs}; {dict(ends)})")
    rows = [[*end, str(count)] for end, count in ends.most_common()]
    table = Table(f"{runs} healthy runs of {_CHECKS} checks", ("verdict", "reason", "exit status", "runs"), rows)
    wrong = sum(count for (verdict, _, _), count in ends.items() if verdict == "fail")
    other = sum(count for (verdict, _, _), count in ends.items() if verdict != "pass")
    table.findings = [
        Finding("no run fails", f"{wrong} of {runs}", wrong == 0),
        Finding("no run is anything but a pass", f"{other} of {runs}", other == 0),
    ]
    yield table
