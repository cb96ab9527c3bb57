"""Stage C of a decision: is there complete positive evidence?"""

from __future__ import annotations

from postdeploy.domain.cause import Cause
from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.policy import Action, Policy
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.verdict import Conclusion, Reason, Verdict, inconclusive
from postdeploy.domain.warning import find_warnings

__all__ = ["judge_proof"]

_Missing = tuple[Reason, str]

_CUT_SHORT = (
    Reason.INTERRUPTED,
    Reason.INTERNAL_ERROR,
    Reason.WORKER_LOST,
    Reason.NOTHING_SELECTED,
    Reason.DEADLINE_EXCEEDED,
    Reason.REQUIRED_CHECK_MISSING,
)

_PYTEST_EXITS = {2: Reason.INTERRUPTED, 3: Reason.INTERNAL_ERROR, 4: Reason.CONFIG_ERROR, 5: Reason.NOTHING_SELECTED}


def judge_proof(evidence: Evidence, policy: Policy, causes: tuple[Cause, ...]) -> Verdict:
    """Pass on complete positive evidence, else inconclusive with what is missing."""
    missing = (
        _cut_short(evidence)
        or _unfinished(evidence)
        or _narrowed(evidence)
        or _unproven(evidence)
        or _unexplained(evidence)
        or _flaky(evidence, policy)
    )
    warnings = find_warnings(evidence, policy)
    if missing:
        return inconclusive(missing[0], missing[1], causes, warnings)
    counts = evidence.counts()
    reason = Reason.PASSED_WITH_WARNINGS if warnings else Reason.ALL_REQUIRED_PASSED
    summary = f"{counts['passed']} of {counts['planned']} checks passed"
    if counts["skipped"]:
        summary += f", {counts['skipped']} skipped by policy"
    if warnings:
        summary += f", {len(warnings)} warning{'s' if len(warnings) > 1 else ''}"
    return Verdict(Conclusion.PASS, reason, Action.PROMOTE, summary, warnings, causes)


def _cut_short(evidence: Evidence) -> _Missing | None:
    incidents = {incident.reason: incident.message for incident in reversed(evidence.incidents)}
    for reason in _CUT_SHORT:
        if reason in incidents:
            return reason, incidents[reason]
    if incidents:
        return Reason.INTERNAL_ERROR, evidence.incidents[0].message
    return None


def _unfinished(evidence: Evidence) -> _Missing | None:
    if not evidence.finished:
        return Reason.INCOMPLETE, "the run did not finish"
    if evidence.pytest_exit in _PYTEST_EXITS:
        return _PYTEST_EXITS[evidence.pytest_exit], f"pytest ended with status {evidence.pytest_exit}"
    if evidence.pytest_exit not in {0, 1}:
        return Reason.INTERNAL_ERROR, f"something ended pytest with status {evidence.pytest_exit}"
    return None


def _narrowed(evidence: Evidence) -> _Missing | None:
    if not any(check.required for check in evidence.plan):
        return Reason.NOTHING_SELECTED, "no required check was collected"
    if evidence.narrowed_by:
        return Reason.SUITE_NARROWED, f"the suite was narrowed by {', '.join(evidence.narrowed_by)}"
    return None


def _unproven(evidence: Evidence) -> _Missing | None:
    required = [(check, evidence.result(check)) for check in evidence.plan if check.required]
    problems = [text for check, result in required if (text := _missing_proof(check, result))]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Reason.REQUIRED_CHECK_NOT_PROVEN, problems[0] + more
    if not any(result.outcome is Outcome.PASSED for _, result in required):
        return Reason.NOTHING_SELECTED, "every required check was skipped by policy"
    return None


def _missing_proof(check: PlannedCheck, result: CheckResult) -> str | None:
    if result.outcome is Outcome.SKIPPED and result.by_policy:
        return None
    if result.outcome is not Outcome.PASSED:
        why = result.reason or (result.last.error if result.last else None) or "no reason was given"
        return f"{check.name}: {result.outcome.value.replace('_', ' ')}, {why.strip().splitlines()[0]}"
    last = result.last
    if last is None or last.outcome is not Outcome.PASSED:
        return f"{check.name}: passed without a passing attempt"
    if not last.exchanges:
        return f"{check.name}: passed without any exchange with the target"
    return None


def _unexplained(evidence: Evidence) -> _Missing | None:
    explained = any(result.outcome in {Outcome.FAILED, Outcome.ERRORED} for result in evidence.results.values())
    if evidence.pytest_exit == 1 and not explained:
        return Reason.REQUIRED_CHECK_NOT_PROVEN, "pytest reports a failure that no check explains"
    return None


def _flaky(evidence: Evidence, policy: Policy) -> _Missing | None:
    flaky = [check.name for check in evidence.plan if evidence.result(check).flaky]
    if len(flaky) <= policy.flaky:
        return None
    return Reason.FLAKY_UNRESOLVED, f"{len(flaky)} checks passed only when repeated, {policy.flaky} are allowed"
