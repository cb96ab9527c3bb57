"""What a run was made for, and what that means for its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from postdeploy.domain.policy import Action
from postdeploy.domain.verdict import Verdict
from postdeploy.lazy_dataclass import replace

__all__ = ["Mode", "acting", "mode_of"]


class Mode(StrEnum):
    """What a run was made for."""

    GATE = "gate"
    """To decide about a deploy."""

    MONITOR = "monitor"
    """To see on a schedule how a target is."""


def mode_of(run: Mapping[str, Any]) -> str:
    """The mode of a run, which the first journals did not say."""
    return str(run.get("mode", Mode.GATE.value))


def acting(verdict: Verdict, run: Mapping[str, Any]) -> Verdict:
    """The verdict with what a pipeline may do for a run of this mode: only after a deploy is anything rolled back."""
    if verdict.action is Action.ROLLBACK and mode_of(run) != Mode.GATE:
        return replace(verdict, action=Action.HOLD)
    return verdict
