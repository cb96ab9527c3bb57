"""Declared page checks beside pytest-playwright, in the same browser; and pages and HTTP together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.environment import PAGE_PEER
from benchmarks.measure import Command, interleave
from benchmarks.place import BROWSER, Place
from benchmarks.suites import declared, page_functions
from benchmarks.tables import TIMES, Table, at_most, ratio, samples_table

__all__ = ["forty_pages", "ten_pages", "together"]

_PEER: Final = PAGE_PEER
_OURS: Final = "postdeploy"


def ten_pages(place: Place) -> Iterator[Table]:
    """10 pages."""
    yield from _pages(place, 10, place.rounds(5), 0.6)


def forty_pages(place: Place) -> Iterator[Table]:
    """40 pages."""
    yield from _pages(place, 40, place.rounds(3), 0.5)


def together(place: Place) -> Iterator[Table]:
    """200 HTTP checks and 10 pages in one run, beside each alone."""
    title = "200 HTTP checks and 10 pages together"
    if BROWSER is None:
        yield _without(title)
        return
    folders = {
        "both": declared(place.folder / "both", place.port, checks=200, pages=10),
        "HTTP alone": declared(place.folder / "declared-200", place.port, checks=200),
        "pages alone": declared(place.folder / "pages-10", place.port, pages=10),
    }
    samples = interleave([place.ours(name, folder) for name, folder in folders.items()], place.rounds(5))
    table = samples_table(title, samples, "pages alone")
    slower = [
        max(http.wall, pages.wall) for http, pages in zip(samples["HTTP alone"], samples["pages alone"], strict=True)
    ]
    ratios = [both.wall / alone for both, alone in zip(samples["both"], slower, strict=True)]
    table.findings = [at_most(f"at most 1.15 {TIMES} the slower of the two", ratios, 1.15)]
    yield table


def _pages(place: Place, count: int, rounds: int, limit: float) -> Iterator[Table]:
    title = f"{count} pages, a new context each"
    versions = place.environment.versions()
    if BROWSER is None or "playwright" not in versions:
        yield _without(title)
        return
    commands = [place.ours(_OURS, declared(place.folder / f"pages-{count}", place.port, pages=count), peers=True)]
    if _PEER in versions:
        folder = page_functions(place.folder / f"page-functions-{count}", place.port, count, BROWSER)
        commands.append(place.pytest(_PEER, folder, peers=True))
    yield _compared(title, commands, rounds, limit)


def _compared(title: str, commands: list[Command], rounds: int, limit: float) -> Table:
    samples = interleave(commands, rounds)
    table = samples_table(title, samples, commands[-1].name)
    table.notes.append(f"The browser is {BROWSER} in both. Memory is that of the largest process.")
    table.notes.append("CPU leaves out what a browser used that is killed at the end, as ours is.")
    if _PEER in samples:
        table.findings = [at_most(f"at most {limit} {TIMES} {_PEER}", ratio(samples, _OURS, _PEER), limit)]
    else:
        table.notes.append(f"{_PEER} is not installed here.")
    return table


def _without(title: str) -> Table:
    return Table(title, ("what", "wall s"), [], notes=["No browser is installed here."])
