"""Counts of many runs, kept in a file of their own, so that they can be made in parts: at night, or between other work.

Each line of ``benchmarks/results/NAME.jsonl`` is a part: when it ended, and how many runs ended how.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "End", "count_in_parts", "counted"]

FOLDER: Final = Path(__file__).parent / "results"

_PART: Final = 25
"""Runs after which what was counted is kept: what is lost when a benchmark is broken off."""

End = tuple[str, str, str]
"""Verdict, reason and exit status of a run."""


def counted(name: str, folder: Path = FOLDER) -> Counter[End]:
    """What all parts together have counted."""
    ends: Counter[End] = Counter()
    path = folder / f"{name}.jsonl"
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        for verdict, reason, status, count in json.loads(line)["ends"]:
            ends[verdict, reason, status] += count
    return ends


def count_in_parts(
    name: str, runs: int, run: Callable[[int], End], progress: Callable[[str], object], folder: Path = FOLDER
) -> Iterator[Counter[End]]:
    """Run until there are so many altogether; ``run`` is told which it is. Yields the whole count after each part."""
    folder.mkdir(exist_ok=True)
    while (done := counted(name, folder).total()) < runs:
        part = min(_PART, runs - done)
        ends = Counter(run(number) for number in range(done, done + part))
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with (folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(
                json.dumps({"at": at, "runs": part, "ends": [[*end, count] for end, count in ends.items()]}) + "\n"
            )
        progress(f"({name}: {done + part} of {runs}; {dict(ends)})")
        yield counted(name, folder)
