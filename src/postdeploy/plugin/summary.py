"""What a person reads at the end of a run: the decision first, then causes, then each failure with what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.result import Attempt, CheckResult, Finding, Outcome
from postdeploy.domain.verdict import Verdict

__all__ = ["Line", "summary"]

_SHOWN: Final = 10
_EXCERPT: Final = 160
_BAD: Final = (Outcome.FAILED, Outcome.ERRORED)
_COUNTED: Final = ("passed", "flaky", "failed", "errored", "blocked", "skipped", "not_run")

Line = tuple[str, dict[str, bool]]


def summary(verdict: Verdict, evidence: Evidence, *, details: bool = True) -> Iterator[Line]:
    """The lines, with their colours; ``details`` are causes and failures."""
    for text, markup in _summary(verdict, evidence, details=details):
        yield _printable(text), markup


def _printable(text: str) -> str:
    """One line that a hostile answer can neither colour nor move."""
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _summary(verdict: Verdict, evidence: Evidence, *, details: bool) -> Iterator[Line]:
    yield f"{verdict.reason.value}: {verdict.summary}", {"bold": True}
    yield _about(evidence), {}
    for warning in verdict.warnings[:_SHOWN]:
        yield f"warning: {warning}", {"yellow": True}
    if len(verdict.warnings) > _SHOWN:
        yield f"… and {len(verdict.warnings) - _SHOWN} more warnings, all in the verdict", {"yellow": True}
    if details:
        yield from _causes(verdict)
        yield from _failures(evidence)


def _about(evidence: Evidence) -> str:
    counts = evidence.counts()
    parts = [f"target {evidence.target['name']}"]
    release = evidence.release
    observed = sorted(set(release.first.values()))
    if release.expected:
        live = f"live after {release.waited:.1f} s" if release.live else "not live"
        parts.append(f"release {release.expected} {live}")
    elif observed:
        parts.append(f"release {', '.join(observed)}")
    named = [f"{counts[name]} {name.replace('_', ' ')}" for name in _COUNTED if counts[name]]
    parts.append(", ".join(named) or "no check ran")
    if evidence.finished_at:
        parts.append(f"{evidence.finished_at - evidence.run['started']:.1f} s")
    return " · ".join(parts)


def _causes(verdict: Verdict) -> Iterator[Line]:
    """One cause with one symptom is said by the failure itself."""
    if len(verdict.causes) > 1 or any(len(cause.checks) > 1 for cause in verdict.causes):
        for cause in verdict.causes[:_SHOWN]:
            count = f"{len(cause.checks)} check{'s' if len(cause.checks) > 1 else ''}"
            first = next(iter(cause.summary.splitlines()), "")
            yield f"cause {cause.id}: {first} ({count})", {"red": True}


def _failures(evidence: Evidence) -> Iterator[Line]:
    bad = [check for check in evidence.plan if evidence.result(check).outcome in _BAD]
    for check in bad[:_SHOWN]:
        yield "", {}
        yield from _failure(check, evidence.result(check))
    if len(bad) > _SHOWN:
        yield f"… and {len(bad) - _SHOWN} more, all in the verdict", {}


def _failure(check: PlannedCheck, result: CheckResult) -> Iterator[Line]:
    facts = ", ".join(filter(None, (check.severity.value, f"owner {check.owner}" if check.owner else None)))
    yield f"{result.outcome.value.upper()} {check.name}  {check.path}:{check.line}  ({facts})", {"red": True}
    last = result.last
    if last is None:
        yield f"  {result.reason}", {}
        return
    yield from ((f"  {text}", {}) for text in _detail(check, last))
    yield f"  attempts: {', '.join(_attempt(attempt) for attempt in result.attempts)}", {}
    if last.curl:
        yield f"  reproduce: {last.curl}", {}
    for number, text in enumerate(_kept(result)):
        yield f"{'' if number else '  evidence: ':12}{text}", {}
    if check.runbook:
        yield f"  runbook: {check.runbook}", {}


def _kept(result: CheckResult) -> Iterator[str]:
    """What is kept of the check, a line for each folder."""
    kept = sorted({path.rpartition("/") for attempt in result.attempts for path in attempt.evidence})
    for folder, files in groupby(kept, key=itemgetter(0)):
        yield "  ".join((f"{folder}/" if folder else "", *(name for _, _, name in files))).strip()


def _detail(check: PlannedCheck, attempt: Attempt) -> Iterable[str]:
    for finding in attempt.findings:
        yield from _finding(check, finding)
    if attempt.error:
        yield from attempt.error.splitlines()[:6]
    for line in attempt.excerpt.splitlines()[:8]:
        yield f"| {line if len(line) <= _EXCERPT else line[:_EXCERPT] + '…'}"


def _finding(check: PlannedCheck, finding: Finding) -> Iterator[str]:
    place = f"  ({check.path}:{finding.line}:{finding.column})" if finding.line and finding.column else ""
    first, *rest = finding.observed.splitlines() or [""]
    if finding.code == "assertion":
        yield first
        yield from rest[:6]
        return
    yield f"{finding.subject}{place}"
    yield f"  expected {finding.expected}"
    yield f"  got      {first}"
    yield from (f"           {line}" for line in rest[:6])


def _attempt(attempt: Attempt) -> str:
    return f"{attempt.outcome.value} in {attempt.duration * 1000:.0f} ms"
