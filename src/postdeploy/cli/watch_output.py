"""What a resident monitor says: one line a run."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from postdeploy.domain.document import iso
from postdeploy.watching.facts import LastRun, WatchFacts

__all__ = ["complain", "line", "record", "teller"]

_OUT: Final = 1
_ERROR: Final = 2


def teller(arguments: argparse.Namespace) -> Callable[[WatchFacts], None]:
    """Says what became of a run; where nobody listens any more, nothing is said."""
    before: list[tuple[str, str]] = []

    def tell(facts: WatchFacts) -> None:
        if facts.last is None:
            return
        now = (facts.last.verdict, facts.last.reason)
        changed = before != [now]
        before[:] = [now]
        if changed or not arguments.quiet:
            _say(json.dumps(record(facts, facts.last)) if arguments.json else line(facts, facts.last), _OUT)

    return tell


def complain(text: object) -> None:
    """Tell of something that went wrong and ends nothing."""
    _say(f"watch: {text}", _ERROR)


def _say(text: str, stream: int) -> None:
    """Straight to the stream: what nobody takes would stay in a buffer, and break whatever writes next."""
    with suppress(OSError):
        os.write(stream, text.encode("utf-8", "backslashreplace") + b"\n")


def line(facts: WatchFacts, run: LastRun) -> str:
    """For people."""
    due = f" next {iso(facts.due)[11:]}" if facts.due is not None else ""
    return (
        f"{iso(run.started)} {run.verdict.upper()} {run.reason} "
        f"{run.passed}/{run.checks} checks {run.duration:.1f} s{due}"
    )


def record(facts: WatchFacts, run: LastRun) -> dict[str, Any]:
    """For machines."""
    return {
        "run": run.id,
        "target": facts.target,
        "started": iso(run.started),
        "verdict": run.verdict,
        "reason": run.reason,
        "status": run.status,
        "checks": run.checks,
        "passed": run.passed,
        "seconds": round(run.duration, 3),
        "cpu_seconds": round(run.cpu, 3),
        "missed": facts.missed,
        "reports": run.folder,
        "next": iso(facts.due) if facts.due is not None else None,
    }
