"""The verdict of an earlier run is withdrawn, so that nobody reads it as this one's if this one cannot even start."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from postdeploy.journal import VERDICT_FILE
from postdeploy.plugin.options import Settings

if TYPE_CHECKING:
    import pytest

__all__ = ["withdraw"]


def withdraw(early_config: pytest.Config) -> None:
    """Remove it, unless this process is a worker or verifies nothing."""
    reports = Settings.reports_of(early_config)
    if reports is not None and "PYTEST_XDIST_WORKER" not in os.environ:
        with contextlib.suppress(OSError):  # opening the journal will say what is wrong with the folder
            (reports / VERDICT_FILE).unlink(missing_ok=True)
