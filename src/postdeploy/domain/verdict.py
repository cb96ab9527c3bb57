"""What a verdict can be, and what the process tells the pipeline."""

from __future__ import annotations

from enum import StrEnum

from postdeploy.domain.cause import Cause
from postdeploy.domain.policy import Action
from postdeploy.domain.status import ExitStatus, status_of
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Conclusion", "ExitStatus", "Reason", "Verdict", "exit_status", "inconclusive"]


class Conclusion(StrEnum):
    """The three values of a verdict."""

    PASS = "pass"  # noqa: S105  # not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Reason(StrEnum):
    """The closed list of reasons."""

    ALL_REQUIRED_PASSED = "all_required_passed"
    PASSED_WITH_WARNINGS = "passed_with_warnings"
    NEWLY_BROKEN = "newly_broken"
    ALREADY_BROKEN = "already_broken"
    CONFIRMED_FAILURE = "confirmed_failure"
    TARGET_NOT_LIVE = "target_not_live"
    WRONG_RELEASE = "wrong_release"
    RELEASE_CHANGED = "release_changed"
    NOTHING_SELECTED = "nothing_selected"
    SUITE_NARROWED = "suite_narrowed"
    REQUIRED_CHECK_MISSING = "required_check_missing"
    REQUIRED_CHECK_NOT_PROVEN = "required_check_not_proven"
    FLAKY_UNRESOLVED = "flaky_unresolved"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    RUNNER_FAULT = "runner_fault"
    WORKER_LOST = "worker_lost"
    INTERNAL_ERROR = "internal_error"
    CONFIG_ERROR = "config_error"
    SECRET_MISSING = "secret_missing"  # noqa: S105  # not a password
    SAFETY_VIOLATION = "safety_violation"
    INTERRUPTED = "interrupted"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision: a conclusion, one reason, what the pipeline does, and a sentence for people."""

    conclusion: Conclusion
    reason: Reason
    action: Action
    summary: str
    warnings: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()


def exit_status(verdict: Verdict) -> int:
    """The exit status of a run with this verdict."""
    return status_of(verdict.conclusion.value, verdict.action.value, verdict.reason.value)


def inconclusive(reason: Reason, message: str, causes: tuple[Cause, ...], warnings: tuple[str, ...] = ()) -> Verdict:
    """The verdict of a run that could not tell: always hold."""
    return Verdict(Conclusion.INCONCLUSIVE, reason, Action.HOLD, message, warnings, causes)
