"""The view of runs: what was decided on a target, when, and about which release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from postdeploy.history.reading import RunRow
from postdeploy.history.text import clock, columns, shown
from postdeploy.lazy_dataclass import asdict

__all__ = ["tell_run", "tell_runs", "tell_runs_json"]

_HEAD = ("started", "target", "mode", "verdict", "action", "reason", "release", "checks", "took", "run")


def tell_runs(runs: Sequence[RunRow]) -> Iterator[str]:
    """A line for each run, below their headings."""
    return columns([_HEAD, *map(_cells, runs)])


def tell_runs_json(runs: Iterable[RunRow]) -> list[dict[str, Any]]:
    """The same as JSON builtins; times are milliseconds since the epoch."""
    return [{key: value for key, value in asdict(run).items() if key != "number"} for run in runs]


def tell_run(run: RunRow, outcomes: Mapping[str, str], messages: Mapping[str, str]) -> Iterator[str]:
    """One run: the verdict, and every check with why it did not pass."""
    yield from tell_runs([run])
    yield ""
    yield shown(run.summary, 200)
    order = ("failed", "blocked", "errored", "not_run", "skipped", "passed")
    rows = sorted(outcomes.items(), key=lambda item: (order.index(item[1]), item[0]))
    if rows:
        yield ""
        yield from columns([outcome, shown(check, 80), shown(messages.get(check, ""), 100)] for check, outcome in rows)
    else:
        yield "the results of its checks are not kept any more"


def _cells(run: RunRow) -> tuple[str, ...]:
    passed = f"{run.counts['passed']}/{run.planned}" + (f" ({run.flaky} flaky)" if run.flaky else "")
    return (
        clock(run.started),
        shown(run.target, 20),
        run.mode,
        run.verdict,
        run.action,
        run.reason,
        shown(run.release or "-", 14),
        passed,
        f"{(run.finished - run.started) / 1000:.1f} s",
        shown(run.id, 40),
    )
