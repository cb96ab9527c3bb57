"""Runs every scenario at ``-n 0`` and ``-n 2`` and writes docs/reference/faults.md; exits 1 on a surprise."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from scripts.fault_scenarios import ROOT, SCENARIOS, Observed, Scenario, run_scenario

PAGE = ROOT / "docs" / "reference" / "faults.md"

_HEAD = """\
# Demo faults and their verdicts

Written by `make faults-table`, which starts the demo with each fault, verifies it with TalkStudio's own suites as a
whole process (`pytest --target=demo --release c0ffee0`), alone and with two xdist workers, and fails on a surprise.

| fault | what it is | verdict | reason | action | exit status | causes | checks |
|---|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Run them all; returns the exit status."""
    rows, wrong = [], 0
    for scenario in SCENARIOS:
        runs = [run_scenario(scenario, "-n", workers) for workers in ("0", "2")]
        agree = all(run.agrees(scenario) for run in runs)
        wrong += not agree
        print(f"{'ok   ' if agree else 'WRONG'} {scenario.name}: {runs}", flush=True)  # progress
        rows.append(_row(scenario, runs[0]))
    if not wrong:
        PAGE.write_text(_HEAD + "".join(rows), "utf-8")
    return int(wrong > 0)


def _row(scenario: Scenario, run: Observed) -> str:
    counts = run.document.get("counts", {})
    shown = ", ".join(_counts(counts)) or "none"
    causes = len(run.document.get("causes", ()))
    status = "killed" if run.status < 0 else str(run.status)
    return (
        f"| `{scenario.name}` | {scenario.note} | {run.verdict} | `{run.reason}` | {run.action} | {status} "
        f"| {causes} | {shown} |\n"
    )


def _counts(counts: dict[str, int]) -> Iterator[str]:
    for name, count in counts.items():
        if count and name not in {"planned", "executed"}:
            yield f"{count} {name.replace('_', ' ')}"


if __name__ == "__main__":
    sys.exit(main())
