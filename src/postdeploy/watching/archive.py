"""The reports of the runs of a monitor: each in a folder of its own, whole from the moment it is there.

A run writes to the reports folder itself, where what outlasts runs lies, too. When it is over, what it wrote gets a
second name below ``runs``, and ``latest`` points there: whoever reads never sees a run that is under way.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from postdeploy.documents import read_document, why, write_document
from postdeploy.errors import DocumentError, JournalError
from postdeploy.reports_folder import run_files
from postdeploy.watching.retention import KeptRun, retained

__all__ = ["CONSOLE_FILE", "LATEST", "RUNS", "keep_reports", "kept_runs"]

RUNS: Final = "runs"
LATEST: Final = "latest"
CONSOLE_FILE: Final = "console.log"
"""What a run said."""

_NOTE: Final = "kept.json"
_SCHEMA: Final = "postdeploy/kept-run/1"
_STAGED: Final = "."
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK, errno.ENOSYS})


def keep_reports(reports: Path, run: KeptRun, keep: int) -> str:
    """Keep what a run has written, and remove what is kept no longer; returns its folder, relative to the reports.

    Raises JournalError where the disk refuses; then nothing of it is there.
    """
    folder = reports / RUNS / run.id
    staged = folder.with_name(_STAGED + run.id)
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        for path in [*run_files(reports), reports / CONSOLE_FILE]:
            _keep(path, staged / path.name)
        write_document(staged / _NOTE, {"schema": _SCHEMA, "verdict": run.verdict, "began": run.began})
        shutil.rmtree(folder, ignore_errors=True)
        staged.rename(folder)
        _point(reports / LATEST, f"{RUNS}/{run.id}")
        _forget(reports, keep)
    except OSError as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise JournalError(f"{folder}: the reports of a run cannot be kept: {why(error)}") from error
    return f"{RUNS}/{run.id}"


def kept_runs(reports: Path) -> list[KeptRun]:
    """Those that are kept, oldest first."""
    return [run for _, run in sorted(_kept(reports / RUNS))]


def _kept(folder: Path) -> Iterator[tuple[tuple[int, str], KeptRun]]:
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(DocumentError, KeyError, OSError):
            note = read_document(path / _NOTE)
            order = (path / _NOTE).stat().st_mtime_ns, path.name
            yield order, KeptRun(path.name, str(note["verdict"]), note["began"] is True)


def _keep(path: Path, place: Path) -> None:
    """Another name for a file, or for all files of a folder; links lead elsewhere and are left out."""
    if path.is_symlink() or not path.exists():
        return
    if path.is_dir():
        place.mkdir()
        for each in path.iterdir():
            _keep(each, place / each.name)
        return
    try:
        os.link(path, place)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(path, place)


def _point(link: Path, target: str) -> None:
    """Let a link point elsewhere, at once."""
    staged = link.with_name(f".{link.name}.{os.getpid()}")
    staged.unlink(missing_ok=True)
    staged.symlink_to(target)
    staged.replace(link)


def _forget(reports: Path, keep: int) -> None:
    wanted = retained(kept_runs(reports), keep)
    for path in (reports / RUNS).iterdir():
        if path.name not in wanted:
            shutil.rmtree(path, ignore_errors=True)
