"""Every option; ``settings`` has the one object that reads them."""

from __future__ import annotations

from typing import Any

import pytest

__all__ = ["add_options", "without_workers"]


def add_options(parser: pytest.Parser) -> None:
    """One group; help texts start in lower case and name the default."""
    group = parser.getgroup("postdeploy", "verification of a deployed target")
    group.addoption("--target", metavar="NAME", help="verify this target of targets.yaml")
    group.addoption("--release", metavar="ID", help="the release that was deployed; wait until it answers everywhere")
    group.addoption("--deadline", metavar="TIME", help="how long the run may take, such as 90s or 5m (default: policy)")
    group.addoption("--targets", metavar="FILE", help="the targets file (default: targets.yaml in the root folder)")
    group.addoption("--reports", metavar="DIR", help="where reports go (default: reports in the root folder)")
    group.addoption("--run-id", metavar="ID", help="the name of this run (default: a new one)")
    group.addoption("--baseline", metavar="FILE", help="a verdict about the release before this one")
    group.addoption("--history", metavar="PLACE", help="remember this run in a file or a PostgreSQL URL, or off")
    group.addoption("--browser-executable", metavar="FILE", help="the browser for pages (default: the first one found)")
    group.addoption(
        "--report", metavar="NAMES", action="append", default=[], help="also write reports, such as html,junit or all"
    )
    group.addoption("--otlp-endpoint", metavar="URL", help="also send spans and metrics to this receiver of OTLP")
    group.addoption("--allow-writes", metavar="NAME", help="let a protected target of this name be written to")
    group.addoption(
        "--only",
        metavar="TEXT",
        action="append",
        default=[],
        help="run only checks with this in their name, id or tag; may be repeated; never promotes",
    )
    group.addoption("--shard", metavar="I/N", help="run only this part of the suite; postdeploy merge judges all parts")
    group.addoption("--shard-by", metavar="FILE", help="a sealed verdict whose durations balance the parts")
    group.addoption(
        "--lock", choices=("write", "check"), help="write postdeploy.lock, or compare with it; send nothing"
    )
    group.addoption("--show-plan", action="store_true", help="print what would run, and send nothing")


def without_workers(option: Any) -> None:
    """What is only shown needs none of xdist's workers."""
    option.numprocesses, option.dist, option.tx = 0, "no", []
