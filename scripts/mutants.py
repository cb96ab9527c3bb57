"""Count the mutants of ``make mutants``: red below 95 % killed, or if one was not tried."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ENOUGH: Final = 0.95
_KILLED: Final = {"killed", "timeout", "caught by type check"}
_UNTRIED: Final = "not checked"


def main() -> int:
    """Print the figures, and what is different about each mutant that survived."""
    mutmut = Path(sys.executable).with_name("mutmut")
    listed = subprocess.run([mutmut, "results", "--all", "true"], capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own tool
    states = dict(line.strip().rsplit(": ", 1) for line in listed.splitlines() if ": " in line)
    for name, state in states.items():
        if state not in _KILLED and state != _UNTRIED:
            print(f"\n{name}: {state}\n{_difference(mutmut, name)}")
    print(f"\n{table(states)}")
    return 0 if is_enough(states) else 1


def is_enough(states: Mapping[str, str]) -> bool:
    """Whether all were tried, and enough of them noticed."""
    noticed = sum(state in _KILLED for state in states.values())
    return bool(states) and _UNTRIED not in states.values() and noticed >= _ENOUGH * len(states)


def table(states: Mapping[str, str]) -> str:
    """How many mutants of each module there are, were tried, and were noticed by a test."""
    modules: dict[str, Counter[str]] = {}
    for name, state in states.items():
        modules.setdefault(name.rpartition(".")[0].removeprefix("postdeploy."), Counter())[state] += 1
    rows = [*modules.items(), ("together", sum(modules.values(), Counter()))]
    lines = [_row(name, counts) for name, counts in rows]
    return "\n".join(["| module | mutants | tried | noticed |", "|---|---|---|---|", *lines])


def _row(name: str, counts: Counter[str]) -> str:
    tried = counts.total() - counts[_UNTRIED]
    noticed = sum(counts[state] for state in _KILLED)
    share = f" ({noticed / tried:.1%})" if tried else ""
    return f"| {name} | {counts.total()} | {tried} | {noticed}{share} |"


def _difference(mutmut: Path, name: str) -> str:
    shown = subprocess.run([mutmut, "show", name], capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own tool
    return "\n".join(line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"})


if __name__ == "__main__":
    sys.exit(main())
