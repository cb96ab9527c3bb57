"""From the evidence of a run to what is remembered of it: pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.mode import mode_of
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.verdict import Verdict
from postdeploy.history.facts import CheckMemory, RunMemory

__all__ = ["summarise"]

_LONGEST: Final = 300
"""Characters of a message that are kept."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def summarise(evidence: Evidence, verdict: Verdict) -> RunMemory:
    """What is remembered of a finished run and its verdict."""
    release, run = evidence.release, evidence.run
    seen = set(release.first.values())
    return RunMemory(
        id=str(run["id"]),
        target=str(evidence.target["name"]),
        mode=mode_of(run),
        started=float(run["started"]),
        finished=float(run["started"] if evidence.finished_at is None else evidence.finished_at),
        verdict=verdict.conclusion.value,
        reason=verdict.reason.value,
        action=verdict.action.value,
        summary=_safe(verdict.summary),
        expected=_safe(release.expected) if release.expected else None,
        release=_safe(release.expected or next(iter(seen))) if release.expected or len(seen) == 1 else None,
        observed={name: _safe(seen) for name, seen in release.first.items()},
        policy=evidence.policy.digest,
        config=(evidence.target.get("config") or {}).get("digest"),
        tool=str((run.get("tool") or {}).get("version", "")),
        url=(run.get("ci") or {}).get("url"),
        complete=evidence.pytest_exit in {0, 1} and not evidence.narrowed_by,
        checks=tuple(_check(check, evidence.result(check)) for check in evidence.plan),
    )


def _check(check: PlannedCheck, result: CheckResult) -> CheckMemory:
    last = result.last
    return CheckMemory(
        id=_safe(check.id),
        name=_safe(check.name),
        kind=check.kind,
        severity=check.severity.value,
        outcome=result.outcome,
        owner=_safe(check.owner) if check.owner else None,
        flaky=result.flaky,
        attempts=len(result.attempts),
        duration=last.duration if last else None,
        phases=dict(last.phases) if last else {},
        message=next(_messages(result), None),
        quarantine=check.quarantine.to_json() if check.quarantine else None,
    )


def _messages(result: CheckResult) -> Iterator[str]:
    """Why it did not pass, or not at once; the first is the best."""
    if result.outcome is Outcome.PASSED and not result.flaky:
        return
    for attempt in reversed(result.attempts):
        yield from (_line(text) for text in _texts(attempt) if text.strip())
    if result.reason and result.reason.strip():
        yield _line(result.reason)


def _texts(attempt: Attempt) -> Iterator[str]:
    if attempt.outcome is Outcome.PASSED:
        return
    if attempt.findings:
        yield str(attempt.findings[0])
    if attempt.error:
        yield attempt.error


def _line(text: str) -> str:
    return _safe(text.strip().splitlines()[0][:_LONGEST])


def _safe(text: str) -> str:
    """Without what databases refuse in a text: lone surrogates, which JSON can bring, and NUL."""
    return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
