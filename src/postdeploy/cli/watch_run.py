"""One run of a resident monitor, in a process that was forked for it; and what a dead one has left."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from postdeploy.documents import VERDICT_FILE, read_document
from postdeploy.errors import DocumentError, JournalError, PostdeployError
from postdeploy.journal import EVIDENCE_FILE
from postdeploy.watching.archive import CONSOLE_FILE, keep_reports, kept_runs
from postdeploy.watching.retention import KeptRun

__all__ = ["launch_run", "recover_run"]

_KILLED: Final = -9


def launch_run(arguments: argparse.Namespace) -> int:
    """Launch the run of these arguments, in a folder that has nothing of the one before it; returns its exit status."""
    from postdeploy.cli.descendants import adopt, end_rest
    from postdeploy.cli.verify import launch
    from postdeploy.plugin.lifeline import heed_launcher
    from postdeploy.reports_folder import clear_reports

    heed_launcher()
    adopt()
    _redirect(Path(arguments.reports, CONSOLE_FILE))
    clear_reports(arguments.reports)
    try:
        return launch(arguments)
    finally:
        end_rest()  # else what tests leave behind would add up, run after run


def recover_run(arguments: argparse.Namespace) -> int:
    """Make a verdict of what a run has left that died with its launcher, and remember it; harmless for any other.

    Its reports are kept like those of any run. Returns 0, also where there is nothing to recover.
    """
    reports = Path(arguments.reports)
    try:
        document = read_document(reports / VERDICT_FILE)
        name = str(document["run"]["id"])
        if document["state"] == "started":
            document = _salvaged(reports, name)
    except (DocumentError, JournalError, KeyError, TypeError, OSError):
        return 0  # it had not begun
    from postdeploy.cli.monitor import finish_monitoring
    from postdeploy.cli.verify import remember

    remember(arguments, str(reports))
    finish_monitoring(arguments, name, str(reports))
    try:
        known = {run.id: run for run in kept_runs(reports)}
        began = known[name].began if name in known else True
        keep_reports(reports, KeptRun(name, str(document["verdict"]), began), arguments.keep)
    except PostdeployError as error:
        print(f"watch: {error}", file=sys.stderr)
    return 0


def _salvaged(reports: Path, name: str) -> dict[str, object]:
    from postdeploy.salvage import salvage

    died = min((reports / EVIDENCE_FILE).stat().st_mtime, time.time())
    message = "the monitor and the run were ended before it sealed its verdict"
    salvage(reports, name, reason="incomplete", message=message, status=_KILLED, at=died)
    return read_document(reports / VERDICT_FILE)


def _redirect(path: Path) -> None:
    """What a run says goes into a file, and it hears nothing."""
    path.unlink(missing_ok=True)
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(nothing)
    os.close(out)
