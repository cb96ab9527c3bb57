"""What all tests need: no test measures time, so Hypothesis must not either; what it finds by chance covers no line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("repository", deadline=None)
hypothesis.settings.load_profile("repository")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Where lines are counted, count only what tests run again each time: another example may miss a line."""
    counted = sys.modules.get("coverage") if item.get_closest_marker("hypothesis") else None
    counting = counted.Coverage.current() if counted else None
    if counting is None:
        return (yield)
    counting.stop()
    try:
        return (yield)
    finally:
        counting.start()


@pytest.fixture(scope="session")
def report_tools() -> Path:
    """A folder with the command lines and schemas that others read our reports with."""
    folder = Path(sys.prefix) / "report-tools"
    script = Path(__file__).parents[1] / "scripts" / "install-report-tools.sh"
    subprocess.run(["bash", str(script), str(folder)], check=True, timeout=300)
    return folder
