from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_cheapest_benchmark_prints_a_table() -> None:
    """It measures two processes, twice each."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--here", "--only", "asleep"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "## Any other pytest run" in run.stdout
    assert "| with the plugin |" in run.stdout
    assert "| at most 15 ms more" in run.stdout


def test_an_unknown_benchmark_is_refused() -> None:
    """The message names those that there are."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "pages-40" in run.stderr
