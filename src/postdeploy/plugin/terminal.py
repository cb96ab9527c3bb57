"""What a person reads at the end of a run: the decision first, then causes, then each failure with what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest

from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.result import Attempt, CheckResult, Finding, Outcome
from postdeploy.domain.verdict import Conclusion, Verdict
from postdeploy.plugin.recorder import Recorder

__all__ = ["TerminalReport", "lines"]

_SHOWN: Final = 10
_BAD: Final = (Outcome.FAILED, Outcome.ERRORED)
_WORDS: Final = {"promote": "promote", "hold": "hold", "rollback": "roll back"}
_COLOURS: Final = {Conclusion.PASS: "green", Conclusion.FAIL: "red", Conclusion.INCONCLUSIVE: "yellow"}

Line = tuple[str, dict[str, bool]]


class TerminalReport:
    """Registered as a plugin beside the recorder."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._config = config
        self._recorder = recorder

    def pytest_report_header(self) -> str:
        """What is verified, against where."""
        settings = self._recorder.settings
        release = f", release {settings.release}" if settings.release else ""
        return f"postdeploy: target {settings.target}{release}, run {self._recorder.run_id}"

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """The last words of the run."""
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        verdict, evidence = self._recorder.verdict, self._recorder.evidence
        if reporter is None or verdict is None or evidence is None:
            return
        writer = reporter._tw  # noqa: SLF001  # the public writer methods of the reporter cannot colour
        title = f"{verdict.conclusion.value.upper()} \N{RIGHTWARDS ARROW} {_WORDS[verdict.action.value]}"
        writer.sep("=", title, bold=True, **{_COLOURS[verdict.conclusion]: True})
        for text, markup in lines(verdict, evidence, quiet=reporter.verbosity < 0):
            writer.line(text, **markup)
        writer.line(f"verdict: {self._recorder.path}")


def lines(verdict: Verdict, evidence: Evidence, *, quiet: bool = False) -> Iterator[Line]:
    """The lines of the summary, with their colours."""
    yield f"{verdict.reason.value}: {verdict.summary}", {"bold": True}
    yield _about(evidence), {}
    for warning in verdict.warnings:
        yield f"warning: {warning}", {"yellow": True}
    if quiet:
        return
    if len(verdict.causes) > 1 or any(len(cause.checks) > 1 for cause in verdict.causes):
        for cause in verdict.causes:
            count = f"{len(cause.checks)} check{'s' if len(cause.checks) > 1 else ''}"
            yield f"cause {cause.id}: {cause.summary} ({count})", {"red": True}
    bad = [check for check in evidence.plan if evidence.result(check).outcome in _BAD]
    for check in bad[:_SHOWN]:
        yield "", {}
        yield from _failure(check, evidence.result(check))
    if len(bad) > _SHOWN:
        yield f"… and {len(bad) - _SHOWN} more, all in the verdict", {}


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


_COUNTED: Final = ("passed", "flaky", "failed", "errored", "blocked", "skipped", "not_run")


def _failure(check: PlannedCheck, result: CheckResult) -> Iterator[Line]:
    facts = ", ".join(filter(None, (check.severity.value, f"owner {check.owner}" if check.owner else None)))
    yield f"{result.outcome.value.upper()} {check.name}  {check.path}:{check.line}  ({facts})", {"red": True}
    last = result.last
    if last is None:
        yield f"  {result.reason}", {}
        return
    yield from ((f"  {text}", {}) for text in _detail(check, last))
    yield f"  attempts: {', '.join(_attempt(attempt) for attempt in result.attempts)}", {}
    evidence = sorted({path for attempt in result.attempts for path in attempt.evidence})
    for name, value in (("reproduce", last.curl), ("evidence", "  ".join(evidence)), ("runbook", check.runbook)):
        if value:
            yield f"  {name}: {value}", {}


def _detail(check: PlannedCheck, attempt: Attempt) -> Iterable[str]:
    for finding in attempt.findings:
        yield from _finding(check, finding)
    if attempt.error:
        yield from attempt.error.splitlines()[:6]
    yield from (f"| {line}" for line in attempt.excerpt.splitlines()[:8])


def _finding(check: PlannedCheck, finding: Finding) -> Iterator[str]:
    place = f"{check.path}:{finding.line}:{finding.column}" if finding.line and finding.column else ""
    yield f"{finding.subject}{f'  ({place})' if place else ''}"
    yield f"  expected {finding.expected}"
    first, *rest = finding.observed.splitlines() or [""]
    yield f"  got      {first}"
    yield from (f"           {line}" for line in rest[:6])


def _attempt(attempt: Attempt) -> str:
    return f"{attempt.outcome.value} in {attempt.duration * 1000:.0f} ms"
