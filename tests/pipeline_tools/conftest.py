"""Pipelines of other systems, run by the tools of those systems; `make pipelines` has installed them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.pipeline.conftest import Stage

__all__ = ["node_program", "program"]

TOOLS = Path(sys.prefix) / "pipeline-tools"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Faked surroundings for a pipeline."""
    return Stage(tmp_path / "stage")


def program(name: str) -> str:
    """The path of a program; where it is missing the test is skipped, or fails if REQUIRE_PIPELINE_TOOLS says so."""
    found = shutil.which(name, path=f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        _missing(name)
    return str(found)


def node_program(name: str) -> list[str]:
    """The command of a program that comes from npm."""
    script = TOOLS / "node_modules/.bin" / name
    driver = pytest.importorskip("playwright._impl._driver")
    if not script.exists():
        _missing(name)
    return [str(driver.compute_driver_executable()[0]), str(script)]


def _missing(name: str) -> None:
    if os.environ.get("REQUIRE_PIPELINE_TOOLS"):
        pytest.fail(f"{name} is not installed")
    pytest.skip(f"{name} is not installed: make pipelines")
