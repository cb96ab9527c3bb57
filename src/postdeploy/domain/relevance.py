"""Stage A of a decision: is the evidence about the right thing?"""

from __future__ import annotations

from typing import Final

from postdeploy.domain.cause import Cause
from postdeploy.domain.evidence import UNSEEN, Evidence
from postdeploy.domain.health import control_answers, sick_network
from postdeploy.domain.verdict import Reason, Verdict, inconclusive

__all__ = ["CUT_SHORT", "judge_relevance"]

CUT_SHORT: Final = (
    Reason.INTERRUPTED,
    Reason.INTERNAL_ERROR,
    Reason.WORKER_LOST,
    Reason.NOTHING_SELECTED,
    Reason.DEADLINE_EXCEEDED,
    Reason.REQUIRED_CHECK_MISSING,
    Reason.INCOMPLETE,
)
"""Incidents that leave evidence incomplete, but what there is stays true."""

_FOREMOST: Final = (
    Reason.SECRET_MISSING,
    Reason.CONFIG_ERROR,
    Reason.RUNNER_FAULT,
    Reason.SAFETY_VIOLATION,
    Reason.TARGET_NOT_LIVE,
    Reason.WRONG_RELEASE,
    Reason.RELEASE_CHANGED,
)

_Doubt = tuple[Reason, str]


def judge_relevance(evidence: Evidence, causes: tuple[Cause, ...]) -> Verdict | None:
    """Inconclusive if the evidence is about something else than the expected release on a live target, else None."""
    doubt = (
        _incident(evidence)
        or _sick_runner(evidence)
        or _not_live(evidence)
        or _silent(evidence)
        or _never_seen(evidence)
        or _changed(evidence)
        or _foreign(evidence)
    )
    return inconclusive(*doubt, causes) if doubt else None


def _incident(evidence: Evidence) -> _Doubt | None:
    """An incident that makes the evidence worthless; one that nobody foresaw does so, too."""
    for reason in _FOREMOST:
        for incident in evidence.incidents:
            if incident.reason == reason:
                return reason, incident.message
    strange = [incident for incident in evidence.incidents if incident.reason not in CUT_SHORT]
    return (Reason.INTERNAL_ERROR, f"{strange[0].reason}: {strange[0].message}") if strange else None


def _sick_runner(evidence: Evidence) -> _Doubt | None:
    for state in evidence.services.values():
        if not state.live and not state.target_fault:
            return Reason.RUNNER_FAULT, f"service {state.name}: {state.message}"
    sick = sick_network(evidence)
    return (Reason.RUNNER_FAULT, sick) if sick else None


def _not_live(evidence: Evidence) -> _Doubt | None:
    """The release did not come, and not because a service gave nothing but wrong answers."""
    release = evidence.release
    if release.live is not False:
        return None
    problem = release.problem or "the release did not become live in time"
    if set(release.first.values()) - {release.expected}:
        return Reason.WRONG_RELEASE, problem
    wrong = [state.name for state in evidence.services.values() if state.answered_wrongly]
    if all(release.counts.get(name) for name in wrong):
        return Reason.TARGET_NOT_LIVE, problem
    return None


def _silent(evidence: Evidence) -> _Doubt | None:
    """No service answers, none ever did, and nothing that should answer besides is known to."""
    states = evidence.services.values()
    if not states or any(state.live or state.answered_wrongly for state in states) or _was_live(evidence):
        return None
    if control_answers(evidence, float(evidence.run["started"])):
        return None
    first = next(iter(states))
    return Reason.TARGET_NOT_LIVE, f"no service of the target answers; {first.name}: {first.message}"


def _was_live(evidence: Evidence) -> bool:
    return evidence.release.live is True or any(result.exchanges for result in evidence.results.values())


def _never_seen(evidence: Evidence) -> _Doubt | None:
    release = evidence.release
    attempted = any(result.attempts for result in evidence.results.values())
    if release.expected is None or release.live is not None or not attempted:
        return None
    text = f"nothing of the target says whether {release.expected} answers; name a source under 'release'"
    return Reason.TARGET_NOT_LIVE, text


def _changed(evidence: Evidence) -> _Doubt | None:
    release = evidence.release
    changed = [f"{name} answered {release.first[name]} first and {release.last[name]} last" for name in release.changed]
    return (Reason.RELEASE_CHANGED, f"the release changed during the run: {'; '.join(changed)}") if changed else None


def _foreign(evidence: Evidence) -> _Doubt | None:
    """Answers of a release that is neither expected nor was there at the start."""
    release = evidence.release
    attested = {name for result in evidence.results.values() for a in result.attempts for name in a.releases}
    seen = attested | set(release.first.values()) | (set(release.last.values()) - {UNSEEN})
    known = {release.expected} if release.expected else set(release.first.values())
    if seen <= known or (not known and len(seen) == 1):
        return None
    foreign = ", ".join(sorted(seen - known))
    if seen & known or not release.expected:
        beside = ", ".join(sorted(filter(None, known))) or "each other"
        return Reason.RELEASE_CHANGED, f"more than one release answered: {foreign} beside {beside}"
    return Reason.WRONG_RELEASE, f"{foreign} answered instead of {release.expected}"
