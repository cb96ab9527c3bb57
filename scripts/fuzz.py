"""``python -m scripts.fuzz [SECONDS]``: fuzz the readers of configuration, verdicts, answers and reports.

Three quarters of the time are guided by coverage, where atheris is there; the rest tries inputs that are generated.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

from tests.fuzz.harness import TARGETS, fuzz

_SECONDS = 600.0
_ROUND = 500
_GUIDED = 0.75
_READERS = ("targets", "suite", "verdict", "answer")


def main(seconds: float) -> None:
    """Fuzz everything; the first input that leads to an unexpected error is shown, and ends it."""
    begun = time.monotonic()
    if find_spec("atheris"):
        for name in _READERS:
            _guided(name, round(seconds * _GUIDED / len(_READERS)))
    else:
        print("atheris is not there: nothing is guided by coverage", flush=True)
    _generated(begun + seconds)
    print(f"{time.monotonic() - begun:.0f} s in all, nothing unexpected")


def _guided(name: str, seconds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="postdeploy-fuzz-") as folder:
        command = [sys.executable, "-m", "tests.fuzz.guided", name, str(seconds), folder]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603  # ourselves
        if run.returncode:
            sys.exit(f"{name}: {_culprits(Path(folder))}\n{run.stdout}{run.stderr}")
    done = re.search(r"Done (\d+) runs", run.stderr)
    reached = re.findall(r"cov: (\d+)", run.stderr)
    print(f"{name}, guided: {done[1] if done else '?'} inputs, {reached[-1] if reached else '?'} branches", flush=True)


def _culprits(folder: Path) -> str:
    """The inputs that broke a reader; libFuzzer has named them by their kind."""
    return ", ".join(f"{path.name} {path.read_bytes()!r}" for path in folder.glob("*-*"))


def _generated(ends: float) -> None:
    tried: Counter[str] = Counter()
    chosen = settings(
        max_examples=_ROUND,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    while time.monotonic() < ends:
        for name in TARGETS:
            fuzz(name, chosen)
            tried[name] += _ROUND
    for name, count in tried.items():
        print(f"{name}, generated: {count} inputs", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS)
