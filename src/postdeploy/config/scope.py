"""What readers know beside the value they read."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from postdeploy.config.report import Report

__all__ = ["Scope"]


class Scope(NamedTuple):
    """Where problems go, and which names may be used; None means that any name may be.

    Args:
        report: of the file that is read.
        target: the name of the target that services and secrets belong to.
        services: the services of the target.
        secrets: the names of its secrets.
        targets: the names of all targets.
    """

    report: Report
    target: str = ""
    services: Collection[str] | None = None
    secrets: Collection[str] | None = None
    targets: Collection[str] | None = None
