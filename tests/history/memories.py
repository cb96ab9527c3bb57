"""Runs as they are remembered, in few words."""

from __future__ import annotations

from typing import Any

from postdeploy.domain.result import Outcome
from postdeploy.history.facts import CheckMemory, RunMemory

__all__ = ["NOW", "check", "run"]

NOW = 1_790_000_000.0
"""A moment, in seconds since the epoch."""


def check(name: str = "home", outcome: str = "passed", **more: Any) -> CheckMemory:
    """A check whose id is its name; it took 100 ms."""
    facts: dict[str, Any] = {"attempts": 1, "duration": 0.1, "phases": {"connect": 0.01, "first_byte": 0.08}}
    if outcome != "passed":
        facts["message"] = f"{name} {outcome}"
    return CheckMemory(name, name, "api", "critical", Outcome(outcome), **facts | more)


def run(name: str = "run-1", *checks: CheckMemory, at: float = 0.0, **more: Any) -> RunMemory:
    """A run of target staging, some seconds after ``NOW``; it failed if any check did."""
    checks = checks or (check(),)
    bad = any(each.outcome in {Outcome.FAILED, Outcome.BLOCKED} for each in checks)
    facts: dict[str, Any] = {
        "target": "staging", "mode": "gate", "started": NOW + at, "finished": NOW + at + 5,
        "verdict": "fail" if bad else "pass", "reason": "confirmed_failure" if bad else "all_required_passed",
        "action": "rollback" if bad else "promote", "summary": "so it is", "expected": "r2", "release": "r2",
        "observed": {"web": "r2"}, "policy": "sha256:aa", "config": None, "tool": "0.1.0", "url": None,
        "complete": True, "checks": checks,
    }  # fmt: skip
    return RunMemory(id=name, **facts | more)
