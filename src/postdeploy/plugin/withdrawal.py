"""The verdict of an earlier run is withdrawn, so that nobody reads it as this one's if this one cannot even start.

So are the reports that this run is to write: if it is killed, an older page that says "pass" does not stay behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from postdeploy.errors import DocumentError
from postdeploy.journal import VERDICT_FILE, read_document
from postdeploy.plugin.settings import Settings

if TYPE_CHECKING:
    import pytest

__all__ = ["withdraw"]


def withdraw(early_config: pytest.Config) -> None:
    """Remove them, unless this process is a worker or verifies nothing."""
    reports = Settings.reports_of(early_config)
    if reports is None or reports.is_symlink() or "PYTEST_XDIST_WORKER" in os.environ:
        return
    path, asked = reports / VERDICT_FILE, early_config.known_args_namespace
    with contextlib.suppress(OSError):  # opening the journal will say what is wrong with the folder
        if not _begun(path, asked.run_id):
            path.unlink(missing_ok=True)
    if asked.report or asked.otlp_endpoint:
        _withdraw_reports(reports, [*asked.report, *["otlp"] * bool(asked.otlp_endpoint)])


def _withdraw_reports(folder: Path, named: Iterable[str]) -> None:
    from postdeploy.exporters import FORMATS
    from postdeploy.reports import parse_formats

    with contextlib.suppress(ValueError, OSError):  # a format that there is not will be told
        for name in parse_formats(named):
            path = folder / FORMATS[name]
            if FORMATS[name].endswith("/") and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif not path.is_dir():
                path.unlink(missing_ok=True)


def _begun(path: Path, run_id: str | None) -> bool:
    """Whether it says that this very run has started: a launcher wrote it."""
    if run_id is None:
        return False
    try:
        document = read_document(path)
        return bool(document["state"] == "started" and document["run"]["id"] == run_id)
    except (DocumentError, KeyError, TypeError):
        return False
