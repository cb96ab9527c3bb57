"""What a run that has just ended has proven, for those who are told of it after the seal."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

from postdeploy.demand import Demand
from postdeploy.documents import VERDICT_FILE
from postdeploy.domain.mode import Mode
from postdeploy.standing import Judge, Standing

__all__ = ["standing_of_run"]


def standing_of_run(arguments: argparse.Namespace, run_id: str, reports: str, status: int) -> Standing:
    """As the gate believes it, if it fits the status that the launcher is about to exit with."""
    about = (arguments.target, arguments.release or None, run_id)
    mode = Mode.MONITOR.value if getattr(arguments, "monitor", False) else Mode.GATE.value
    demand = Demand(*about, max_age=math.inf, now=time.time(), status=status, modes=(mode,))
    return Judge(Path(reports) / VERDICT_FILE, demand, time.time).standing({})
