"""Putting the attempts of a Python test together: pytest reports setup, call and teardown, each attempt anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.lazy_dataclass import dataclass, field, replace

__all__ = ["AttemptLog"]


@dataclass(slots=True)
class _Open:
    attempts: list[Attempt] = field(default_factory=list)
    parts: list[Attempt] = field(default_factory=list)
    skipped: str | None = None
    again: bool = False


class AttemptLog:
    """Collects what the reports of each test say, until its last teardown."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def add(self, payload: Mapping[str, Any], *, rerun: bool) -> CheckResult | None:
        """Take one report; returns the result of the check once it is complete."""
        check, when = str(payload["check"]), payload["when"]
        state = self._open.setdefault(check, _Open())
        if "attempt" in payload:
            attempt = _with_parts(Attempt.from_json(payload["attempt"]), state.parts)
            _append(state.attempts, attempt, after_call=when == "teardown")
        state.skipped = payload.get("skip", state.skipped)
        state.again |= rerun
        if when != "teardown":
            return None
        if state.again:
            state.again = False
            return None
        del self._open[check]
        return _result(check, state)

    def add_part(self, payload: Mapping[str, Any]) -> None:
        """Take the report of a subtest, which comes before that of its test."""
        if "attempt" in payload:
            attempt = Attempt.from_json(payload["attempt"])
            if attempt.outcome is not Outcome.PASSED:
                self._open.setdefault(str(payload["check"]), _Open()).parts.append(attempt)


def _with_parts(attempt: Attempt, parts: list[Attempt]) -> Attempt:
    """A test is what the worst of its subtests is; pytest itself says so only after its report was made."""
    taken, parts[:] = list(parts), []
    if not taken or attempt.outcome is not Outcome.PASSED:
        return attempt
    failed = [part for part in taken if part.outcome is Outcome.FAILED]
    first = (failed or taken)[0]
    findings = tuple(finding for part in failed for finding in part.findings)
    return replace(first, started=attempt.started, duration=attempt.duration, findings=findings)


def _append(attempts: list[Attempt], attempt: Attempt, *, after_call: bool) -> None:
    """A broken teardown belongs to the attempt that it ends: what failed has failed, what passed is not proven."""
    if after_call and attempts:
        last = attempts[-1]
        outcome = Outcome.FAILED if last.outcome is Outcome.FAILED else Outcome.ERRORED
        error = "\n".join(filter(None, (last.error, f"in teardown: {attempt.error}")))
        attempts[-1] = replace(last, outcome=outcome, error=error)
    else:
        attempts.append(attempt)


def _result(check: str, state: _Open) -> CheckResult:
    attempts = tuple(state.attempts)
    outcomes = {attempt.outcome for attempt in attempts}
    if state.skipped is not None and not outcomes - {Outcome.PASSED}:
        return CheckResult(check, Outcome.SKIPPED, attempts, state.skipped)
    if attempts and attempts[-1].outcome is Outcome.PASSED:
        return CheckResult(check, Outcome.PASSED, attempts)
    reason = next((attempt.error for attempt in reversed(attempts) if attempt.error), None)
    if outcomes == {Outcome.FAILED}:
        return CheckResult(check, Outcome.FAILED, attempts, reason)
    return CheckResult(check, Outcome.ERRORED, attempts, reason or "the test reported no outcome")
