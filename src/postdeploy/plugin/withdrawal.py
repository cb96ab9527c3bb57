"""The verdict of an earlier run is withdrawn, so that nobody reads it as this one's if this one cannot even start."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from postdeploy.errors import DocumentError
from postdeploy.journal import VERDICT_FILE, read_document
from postdeploy.plugin.settings import Settings

if TYPE_CHECKING:
    import pytest

__all__ = ["withdraw"]


def withdraw(early_config: pytest.Config) -> None:
    """Remove it, unless this process is a worker or verifies nothing."""
    reports = Settings.reports_of(early_config)
    if reports is None or reports.is_symlink() or "PYTEST_XDIST_WORKER" in os.environ:
        return
    path = reports / VERDICT_FILE
    with contextlib.suppress(OSError):  # opening the journal will say what is wrong with the folder
        if not _begun(path, early_config.known_args_namespace.run_id):
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
