"""``python -m benchmarks``: measure, print, and with ``--write`` renew docs/reference/benchmarks.md."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from benchmarks import (
    going_live,
    guard,
    healthy_runs,
    http_checks,
    judging,
    latency,
    monitor,
    page_checks,
    partial_failures,
    reports,
    scrub,
    startup,
)
from benchmarks.place import Place, open_place
from benchmarks.report import PAGE, document
from benchmarks.tables import Table, markdown

_BENCHMARKS: Final[dict[str, Callable[[Place], Iterator[Table]]]] = {
    "20": http_checks.some,
    "200": http_checks.many,
    "latency": latency.latency,
    "1000": http_checks.thousand,
    "growth": http_checks.growth,
    "pages-10": page_checks.ten_pages,
    "pages-40": page_checks.forty_pages,
    "together": page_checks.together,
    "one": startup.one_check,
    "asleep": startup.asleep,
    "gate": judging.judging,
    "release": going_live.going_live,
    "scrub": scrub.scrub,
    "guard": guard.guard,
    "reports": reports.reports,
    "healthy-runs": healthy_runs.healthy_runs,
    "partial-failures": partial_failures.partial_failures,
    "monitor": monitor.monitor,
    "monitor-cost": monitor.monitor_cost,
    "killed-monitors": monitor.killed_monitors,
    "killed-databases": monitor.killed_databases,
    "target-down": monitor.target_down,
}
_ASKED: Final[dict[str, Callable[..., Iterator[Table]]]] = {
    "healthy-runs": healthy_runs.healthy_runs,
    "partial-failures": partial_failures.partial_failures,
    "monitor": monitor.monitor,
    "killed-monitors": monitor.killed_monitors,
    "killed-databases": monitor.killed_databases,
    "target-down": monitor.target_down,
}
"""What takes many minutes and measures no time runs only where it is named."""

_LONG: Final = frozenset({"1000", "pages-40"})


def main() -> None:
    """Run what was asked for."""
    options = _options()
    names = options.only or [name for name in _BENCHMARKS if name not in {*_ASKED, *(_LONG if options.quick else ())}]
    tables: list[Table] = []
    with open_place(quick=options.quick, here=options.here) as place:
        for name in names:
            begun = time.monotonic()
            for table in _benchmark(name, options)(place):
                print(markdown(table), flush=True)
                tables.append(table)
            place.progress(f"({name}: {time.monotonic() - begun:.0f} s)")
            if options.write:
                _write(document(tables, _command(options), place.environment))


def _benchmark(name: str, options: argparse.Namespace) -> Callable[[Place], Iterator[Table]]:
    asked = _ASKED.get(name)
    return partial(asked, runs=options.runs) if asked and options.runs else _BENCHMARKS[name]


def _write(text: str) -> None:
    """After each benchmark, so that a run that breaks off leaves what it has measured."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, small sizes, no benchmark that takes minutes")
    parser.add_argument("--here", action="store_true", help="measure what is installed here, not what a user has")
    parser.add_argument("--only", action="append", choices=_BENCHMARKS, metavar="NAME", help=", ".join(_BENCHMARKS))
    parser.add_argument("--runs", type=int, help="how many, of what runs only where it is named")
    parser.add_argument("--write", action="store_true", help=f"renew {PAGE.name} in the documentation")
    return parser.parse_args()


def _command(options: argparse.Namespace) -> str:
    flags = ["--quick"] * options.quick + ["--here"] * options.here + [f"--only {name}" for name in options.only or ()]
    return " ".join(["python -m benchmarks", *flags, "--write"])


if __name__ == "__main__":
    main()
