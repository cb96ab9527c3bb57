"""What all tests need: no test measures time, so Hypothesis must not either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("repository", deadline=None)
hypothesis.settings.load_profile("repository")


@pytest.fixture(scope="session")
def report_tools() -> Path:
    """A folder with the command lines and schemas that others read our reports with."""
    folder = Path(sys.prefix) / "report-tools"
    script = Path(__file__).parents[1] / "scripts" / "install-report-tools.sh"
    subprocess.run(["bash", str(script), str(folder)], check=True, timeout=300)
    return folder
