"""Stage A of a decision: is the evidence about the right thing?"""

from __future__ import annotations

from postdeploy.domain.cause import Cause
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.verdict import Reason, Verdict, inconclusive

__all__ = ["judge_relevance"]

_FOREMOST = (
    Reason.SECRET_MISSING,
    Reason.CONFIG_ERROR,
    Reason.RUNNER_FAULT,
    Reason.SAFETY_VIOLATION,
    Reason.TARGET_NOT_LIVE,
    Reason.WRONG_RELEASE,
)


def judge_relevance(evidence: Evidence, causes: tuple[Cause, ...]) -> Verdict | None:
    """Inconclusive if the evidence is about something else than the expected release on a live target, else None."""
    for reason in _FOREMOST:
        for incident in evidence.incidents:
            if incident.reason == reason:
                return inconclusive(reason, incident.message, causes)
    return _not_live(evidence, causes) or _other_release(evidence, causes)


def _not_live(evidence: Evidence, causes: tuple[Cause, ...]) -> Verdict | None:
    states = evidence.services.values()
    for state in states:
        if not state.live and not state.target_fault:
            return inconclusive(Reason.RUNNER_FAULT, f"service {state.name}: {state.message}", causes)
    if states and not any(state.live or state.answered_wrongly for state in states) and not _was_live(evidence):
        first = next(iter(states))
        return inconclusive(
            Reason.TARGET_NOT_LIVE, f"no service of the target answers; {first.name}: {first.message}", causes
        )
    return None


def _was_live(evidence: Evidence) -> bool:
    return evidence.release.live is True or any(result.exchanges for result in evidence.results.values())


def _other_release(evidence: Evidence, causes: tuple[Cause, ...]) -> Verdict | None:
    release = evidence.release
    changed = [
        f"{service} answered {release.first[service]} first and {last} last"
        for service, last in release.last.items()
        if service in release.first and release.first[service] != last
    ]
    if changed:
        return inconclusive(Reason.RELEASE_CHANGED, f"the release changed during the run: {'; '.join(changed)}", causes)
    expected = release.expected or _only(set(release.first.values()))
    seen = {name for result in evidence.results.values() for a in result.attempts for name in a.releases}
    foreign = sorted(seen - {expected}) if expected else (sorted(seen) if len(seen) > 1 else [])
    if not foreign:
        return None
    if expected in seen or not release.expected:
        text = f"answers came from {', '.join(foreign)} beside {expected or 'another release'}"
        return inconclusive(Reason.RELEASE_CHANGED, f"more than one release answered: {text}", causes)
    return inconclusive(Reason.WRONG_RELEASE, f"{', '.join(foreign)} answered instead of {expected}", causes)


def _only(values: set[str]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None
