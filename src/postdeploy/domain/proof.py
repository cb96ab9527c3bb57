"""Stage C of a decision: is there complete positive evidence?"""

from __future__ import annotations

import math
from typing import Final

from postdeploy.domain.cause import Cause
from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.health import OWN_FAULTS, closed, excuse
from postdeploy.domain.policy import Action, OnMaintenance, Policy
from postdeploy.domain.relevance import CUT_SHORT
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.verdict import Conclusion, Reason, Verdict, inconclusive
from postdeploy.domain.warning import find_warnings, is_required

__all__ = ["judge_proof"]

_Missing = tuple[Reason, str]

_PYTEST_EXITS: Final = {
    2: Reason.INTERRUPTED,
    3: Reason.INTERNAL_ERROR,
    4: Reason.CONFIG_ERROR,
    5: Reason.NOTHING_SELECTED,
    6: Reason.REQUIRED_CHECK_NOT_PROVEN,  # --max-warnings
    7: Reason.FLAKY_UNRESOLVED,  # --fail-on-flaky of pytest-rerunfailures
}


def judge_proof(evidence: Evidence, policy: Policy, causes: tuple[Cause, ...]) -> Verdict:
    """Pass on complete positive evidence, else inconclusive with what is missing."""
    missing = (
        _cut_short(evidence)
        or _unfinished(evidence)
        or _narrowed(evidence)
        or _vanished(evidence)
        or _excused(evidence, policy)
        or _closed(evidence, policy)
        or _unproven(evidence, policy)
        or _unexplained(evidence)
        or _unseen(evidence)
        or _flaky(evidence, policy)
    )
    warnings = find_warnings(evidence, policy)
    if missing:
        return inconclusive(*missing, causes, warnings)
    reason = Reason.PASSED_WITH_WARNINGS if warnings else Reason.ALL_REQUIRED_PASSED
    return Verdict(Conclusion.PASS, reason, Action.PROMOTE, _summary(evidence, len(warnings)), warnings, causes)


def _summary(evidence: Evidence, warnings: int) -> str:
    counts = evidence.counts()
    summary = f"{counts['passed']} of {counts['planned']} checks passed"
    if counts["skipped"]:
        summary += f", {counts['skipped']} skipped"
    if warnings:
        summary += f", {warnings} warning{'s' if warnings > 1 else ''}"
    return summary


def _cut_short(evidence: Evidence) -> _Missing | None:
    for reason in CUT_SHORT:
        for incident in evidence.incidents:
            if incident.reason == reason:
                return reason, incident.message
    return None


def _unfinished(evidence: Evidence) -> _Missing | None:
    status = evidence.pytest_exit
    if not evidence.finished or status is None:
        return Reason.INCOMPLETE, "the run did not finish"
    if status in {0, 1}:
        return None
    return _PYTEST_EXITS.get(status, Reason.INTERNAL_ERROR), f"pytest ended with status {status}"


def _narrowed(evidence: Evidence) -> _Missing | None:
    if not any(check.required for check in evidence.plan):
        return Reason.NOTHING_SELECTED, "no required check was collected"
    if evidence.narrowed_by:
        return Reason.SUITE_NARROWED, f"the suite was narrowed by {', '.join(evidence.narrowed_by)}"
    return None


def _vanished(evidence: Evidence) -> _Missing | None:
    """A check that somebody has committed to is not there any more."""
    lock = evidence.lock
    missing = lock.missing(check.id for check in evidence.plan) if lock else ()
    if lock is None or not missing:
        return None
    others = len(missing) - 1
    told = f"{missing[0]} and {others} more are" if others else f"{missing[0]} is"
    text = f"{told} in {lock.file} and not in the suite; if that is meant, run: postdeploy lock"
    return Reason.REQUIRED_CHECK_MISSING, text


def _unproven(evidence: Evidence, policy: Policy) -> _Missing | None:
    required = [
        (check, evidence.result(check))
        for check in evidence.plan
        if is_required(check, policy) and not evidence.excused(check)
    ]
    problems = [(text, _is_ours(result)) for check, result in required if (text := _missing_proof(check, result))]
    if problems:
        ours = [text for text, own in problems if own]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        reason = Reason.RUNNER_FAULT if ours else Reason.REQUIRED_CHECK_NOT_PROVEN
        return reason, (ours or [text for text, _ in problems])[0] + more
    if not any(result.outcome is Outcome.PASSED for check, result in required if check.required):
        return Reason.NOTHING_SELECTED, "every required check was skipped by policy"
    return None


def _is_ours(result: CheckResult) -> bool:
    """Whether this machine kept a check from being proven."""
    return any(attempt.code in OWN_FAULTS for attempt in result.attempts)


def _excused(evidence: Evidence, policy: Policy) -> _Missing | None:
    """A failure that the clock or the credentials of this machine explain."""
    for check in evidence.plan:
        result = evidence.result(check)
        if result.outcome is not Outcome.PASSED and is_required(check, policy):
            state = evidence.services.get(result.blocked_by or "")
            reason = excuse(result.last, state.code if state else None, evidence)
            if reason:
                return Reason.RUNNER_FAULT, f"{check.name}: {result.outcome.value.replace('_', ' ')}, but {reason}"
    return None


def _closed(evidence: Evidence, policy: Policy) -> _Missing | None:
    """A service that is closed on purpose, where the policy takes that for no failure."""
    for check in evidence.plan if policy.on_maintenance is OnMaintenance.HOLD else ():
        result = evidence.result(check)
        reason = closed(result, evidence) if is_required(check, policy) else None
        if reason and result.outcome is not Outcome.PASSED:
            return Reason.TARGET_NOT_LIVE, f"{check.name}: {result.outcome.value.replace('_', ' ')}, {reason}"
    return None


def _missing_proof(check: PlannedCheck, result: CheckResult) -> str | None:
    if result.outcome is Outcome.SKIPPED and result.by_policy and not result.attempts:
        return None
    last = result.last
    if result.outcome is not Outcome.PASSED:
        return f"{check.name}: {result.outcome.value.replace('_', ' ')}, {_why(result)}"
    if last is None or last.outcome is not Outcome.PASSED:
        return f"{check.name}: passed without a passing attempt"
    if not last.exchanges:
        return f"{check.name}: passed without any exchange with the target"
    if not all(map(_finite, result.attempts)):
        return f"{check.name}: passed with a figure that is no number"
    return None


def _why(result: CheckResult) -> str:
    last = result.last
    texts = (result.reason, last.error if last else None, str(last.findings[0]) if last and last.findings else None)
    lines = next((text for text in texts if text and text.strip()), "no reason was given")
    return lines.strip().splitlines()[0]


def _finite(attempt: Attempt) -> bool:
    return all(map(math.isfinite, (attempt.started, attempt.duration, *attempt.phases.values())))


def _unexplained(evidence: Evidence) -> _Missing | None:
    """What happened in the run has to follow from what was planned."""
    unplanned = evidence.unplanned()
    if unplanned:
        return Reason.INTERNAL_ERROR, f"a result came for a check that nobody planned: {unplanned[0]}"
    outcomes = {evidence.result(check).outcome for check in evidence.plan}
    if evidence.pytest_exit == 1 and not outcomes & {Outcome.FAILED, Outcome.ERRORED}:
        return Reason.REQUIRED_CHECK_NOT_PROVEN, "pytest reports a failure that no check explains"
    return None


def _unseen(evidence: Evidence) -> _Missing | None:
    """The release has to be seen again after the last check."""
    release = evidence.release
    if release.expected and not release.first:
        return Reason.INCOMPLETE, f"no service was seen to answer as {release.expected}"
    unseen = [name for name, first in release.first.items() if release.last.get(name) != first]
    if unseen:
        return Reason.INCOMPLETE, f"after the last check, {', '.join(unseen)} did not say again which release answers"
    return None


def _flaky(evidence: Evidence, policy: Policy) -> _Missing | None:
    flaky = [check for check in evidence.plan if evidence.result(check).flaky and not evidence.quarantined(check)]
    if len(flaky) <= policy.flaky:
        return None
    return Reason.FLAKY_UNRESOLVED, f"{len(flaky)} checks passed only when repeated, {policy.flaky} are allowed"
