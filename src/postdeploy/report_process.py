"""A second process that writes some of the reports, where there are many checks and a processor has nothing to do.

It is forked, since everything that reports are made of is here already. Each of the two takes the next format when it
is done with one, so neither waits long for the other, whichever has the slower processor. Whatever becomes of the
second, no report is lost: what it does not say to have written is written here.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final

from postdeploy.exporters import Sieve
from postdeploy.reports import Report, write_reports

__all__ = ["write_by_two"]

_MANY: Final = 200
"""Checks from which on a second process saves more than it costs."""

_LONG: Final = ("allure", "html", "otlp", "ctrf", "prometheus", "intoto", "junit")
"""Those that take their time, the longest first: what comes last is what one may have to wait for."""

_TWO: Final = 2

_PATIENCE: Final = 60.0
"""Seconds that it may take longer than this one."""


def write_by_two(
    document: Mapping[str, Any], formats: Sequence[str], evidence: Path, folder: Path, sieve: Sieve | None = None
) -> list[Report]:
    """As ``write_reports`` writes them, in its order."""

    def write(names: Iterable[str]) -> list[Report]:
        return list(write_reports(document, names, evidence, folder, sieve))

    long = [name for name in _LONG if name in formats]
    with _no_garbage():
        if len(long) < _TWO or len(document.get("checks", ())) < _MANY or not _may_fork():
            return write(formats)
        there, here, *rest = dict.fromkeys((*long, *formats))
        with _queue(rest) as taken:
            collect = _forked(lambda: write(chain((there,), taken)), folder)
            written = write(chain((here,), taken))
        written += collect()
        done = {report.name for report in written}
        written += write([name for name in formats if name not in done])
        return sorted(written, key=lambda report: formats.index(report.name))


@contextmanager
def _queue(names: Sequence[str]) -> Generator[Iterator[str]]:
    """What is taken from it is taken once, whichever process does; without a pipe there is nothing in it."""
    try:
        reading, writing = os.pipe()
    except OSError:
        yield iter(())
        return
    try:
        os.write(writing, bytes(range(len(names))))
        os.close(writing)
        yield (names[number] for (number,) in iter(lambda: os.read(reading, 1), b""))
    finally:
        os.close(reading)


@contextmanager
def _no_garbage() -> Generator[None]:
    """Reports are text, and each search for garbage would go through all that the run has left."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _may_fork() -> bool:
    """Whether there is a processor for it, and no other thread that a fork would leave half done."""
    if sys.platform != "linux":
        return False
    try:
        return len(os.sched_getaffinity(0)) > 1 and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  # names
    except OSError:
        return False


def _forked(work: Callable[[], list[Report]], folder: Path) -> Callable[[], list[Report]]:
    """Begin the work in a child; what is returned waits for its reports, and gives none if it cannot tell."""
    try:
        reading, writing = os.pipe()
    except OSError:
        return list
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return list
    if child == 0:
        _work_and_end(work, writing)
    os.close(writing)
    return lambda: _reports(child, reading, folder)


def _work_and_end(work: Callable[[], list[Report]], writing: int) -> None:
    """Nothing of the parent's may be done twice: no buffer is flushed, no handler called."""
    try:
        told = json.dumps([[report.name, report.path, report.problem] for report in work()]).encode()
        while told:
            told = told[os.write(writing, told) :]
    finally:
        os._exit(0)


def _reports(child: int, reading: int, folder: Path) -> list[Report]:
    told = b""
    with suppress(OSError), open(reading, "rb", buffering=0) as pipe:  # not a path
        while select.select([pipe], [], [], _PATIENCE)[0]:
            piece = pipe.read(1 << 16)
            if not piece:
                break
            told += piece
        else:
            os.kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    try:
        return [Report(*each) for each in json.loads(told)]
    except ValueError:
        _clear(folder, child)
        return []


def _clear(folder: Path, child: int) -> None:
    """What was never renamed to its name."""
    for part in folder.glob(f".*.{child}"):
        with suppress(OSError):
            shutil.rmtree(part) if part.is_dir() else part.unlink()
