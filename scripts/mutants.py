"""Count the mutants of ``make mutants``: ``python -m scripts.mutants``; red below 95 % killed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

_ENOUGH: Final = 0.95
_KILLED: Final = {"killed", "timeout", "caught by type check"}


def main() -> int:
    """Print the figures, and what is different about each mutant that survived."""
    mutmut = Path(sys.executable).with_name("mutmut")
    listed = subprocess.run([mutmut, "results", "--all", "true"], capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own tool
    states = dict(line.strip().rsplit(": ", 1) for line in listed.splitlines() if ": " in line)
    counts = Counter(states.values())
    killed = sum(count for state, count in counts.items() if state in _KILLED)
    for name, state in states.items():
        if state not in _KILLED:
            print(f"\n{name}: {state}\n{_difference(mutmut, name)}")
    share = killed / len(states) if states else 0.0
    print(
        f"\n{killed} of {len(states)} mutants killed: {share:.1%} ({', '.join(f'{n} {s}' for s, n in counts.items())})"
    )
    return 0 if share >= _ENOUGH else 1


def _difference(mutmut: Path, name: str) -> str:
    shown = subprocess.run([mutmut, "show", name], capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own tool
    return "\n".join(line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"})


if __name__ == "__main__":
    sys.exit(main())
