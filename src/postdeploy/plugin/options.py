"""Every option; ``settings`` has the one object that reads them."""

from __future__ import annotations

from typing import Any

import pytest

from postdeploy.run_options import RUN_OPTIONS

__all__ = ["add_options", "without_workers"]


def add_options(parser: pytest.Parser) -> None:
    """One group; help texts start in lower case and name the default."""
    group = parser.getgroup("postdeploy", "verification of a deployed target")
    group.addoption("--target", metavar="NAME", help="verify this target of targets.yaml")
    group.addoption("--reports", metavar="DIR", help="where reports go (default: reports in the root folder)")
    group.addoption("--run-id", metavar="ID", help="the name of this run (default: a new one)")
    for option in RUN_OPTIONS:
        group.addoption(f"--{option.name}", **option.keywords)
    group.addoption(
        "--lock", choices=("write", "check"), help="write postdeploy.lock, or compare with it; send nothing"
    )
    group.addoption("--show-plan", action="store_true", help="print what would run, and send nothing")


def without_workers(option: Any) -> None:
    """What is only shown needs none of xdist's workers."""
    option.numprocesses, option.dist, option.tx = 0, "no", []
