"""Putting the attempts of a Python test together: pytest reports setup, call and teardown, each attempt anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from postdeploy.domain.result import Attempt, CheckResult, Outcome

__all__ = ["AttemptLog"]


@dataclass(slots=True)
class _Open:
    attempts: list[Attempt] = field(default_factory=list)
    skipped: str | None = None


class AttemptLog:
    """Collects what the reports of each test say, until its last teardown."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def add(self, payload: Mapping[str, Any], *, rerun: bool) -> CheckResult | None:
        """Take one report; returns the result of the check once it is complete."""
        check = str(payload["check"])
        state = self._open.setdefault(check, _Open())
        if "attempt" in payload:
            state.attempts.append(Attempt.from_json(payload["attempt"]))
        state.skipped = payload.get("skip", state.skipped)
        if rerun or payload["when"] != "teardown":
            return None
        del self._open[check]
        return _result(check, state)


def _result(check: str, state: _Open) -> CheckResult:
    if state.skipped is not None and not any(a.outcome is not Outcome.PASSED for a in state.attempts):
        return CheckResult(check, Outcome.SKIPPED, tuple(state.attempts), state.skipped)
    attempts = tuple(state.attempts)
    outcomes = {attempt.outcome for attempt in attempts}
    if attempts and attempts[-1].outcome is Outcome.PASSED:
        return CheckResult(check, Outcome.PASSED, attempts)
    reason = next((attempt.error for attempt in reversed(attempts) if attempt.error), None)
    if outcomes == {Outcome.FAILED}:
        return CheckResult(check, Outcome.FAILED, attempts, reason)
    return CheckResult(check, Outcome.ERRORED, attempts, reason or "the test reported no outcome")
