"""What the plugin writes to pytest's terminal, where there is one."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from postdeploy.domain.verdict import Conclusion
from postdeploy.errors import PostdeployError
from postdeploy.plugin.keys import PAYLOAD
from postdeploy.plugin.recorder import Recorder
from postdeploy.plugin.summary import summary
from postdeploy.reports import Report

__all__ = ["TerminalReport", "say_last_words", "say_leaks", "say_unsealed"]

_ACTIONS: Final = {"promote": "promote", "hold": "hold", "rollback": "roll back"}
_COLOURS: Final = {Conclusion.PASS: "green", Conclusion.FAIL: "red", Conclusion.INCONCLUSIVE: "yellow"}


class TerminalReport:
    """The header; and declared checks are kept out of pytest's FAILURES, as our summary tells more of them."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._config = config
        self._recorder = recorder
        self._held: dict[str, list[Any]] = {}

    def pytest_report_header(self) -> str:
        """What is verified, against where."""
        settings = self._recorder.settings
        release = f", release {settings.release}" if settings.release else ""
        return f"postdeploy: target {settings.target}{release}, run {self._recorder.run_id}"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, object, object]:
        """Hold back the reports of declared checks while pytest prints FAILURES and ERRORS."""
        for category in ("failed", "error"):
            reports = terminalreporter.stats.get(category, [])
            self._held[category] = list(reports)
            reports[:] = [report for report in reports if "result" not in (getattr(report, PAYLOAD, None) or {})]
        return (yield)

    def restore(self, terminalreporter: Any) -> None:
        """Give the reports back, for pytest's own short summary and its counts."""
        for category, reports in self._held.items():
            if category in terminalreporter.stats:
                terminalreporter.stats[category][:] = reports

    def parts(self) -> Iterator[Any]:
        """The plugins that this is."""
        yield self
        yield _Restore(self)


class _Restore:
    """Runs after FAILURES is printed and before the short summary."""

    def __init__(self, report: TerminalReport) -> None:
        self._report = report

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Give the reports back."""
        self._report.restore(terminalreporter)


def say_last_words(config: pytest.Config, recorder: Recorder, reports: Sequence[Report] = ()) -> None:
    """The decision, and what led to it."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    verdict, evidence = recorder.verdict, recorder.evidence
    if reporter is None or verdict is None or evidence is None:
        return
    writer = reporter._tw  # noqa: SLF001  # the public writer methods of the reporter cannot colour
    title = f"{verdict.conclusion.value.upper()} \N{RIGHTWARDS ARROW} {_ACTIONS[verdict.action.value]}"
    writer.sep("=", title, bold=True, **{_COLOURS[verdict.conclusion]: True})
    details = not reporter.no_summary and config.getoption("tbstyle") != "no"
    for text, markup in summary(verdict, evidence, details=details):
        writer.line(text, **markup)
    writer.line(f"verdict: {recorder.path}")
    for report in reports:
        if report.problem is None:
            writer.line(f"{report.name}: {report.path}")
        else:
            writer.line(f"warning: the {report.name} report could not be written: {report.problem}", yellow=True)


def say_leaks(leaks: Iterable[str]) -> None:
    """Secrets that were found in reports; to standard error, as the files must not be published."""
    for leak in leaks:
        sys.stderr.write(f"postdeploy: {leak}\n")


def say_unsealed(path: Path, error: Exception) -> None:
    """There is no verdict, and why; to standard error, as this matters without a terminal too."""
    text = str(error) if isinstance(error, PostdeployError) else f"{path}: {type(error).__name__}: {error}"
    sys.stderr.write(f"postdeploy: NO VERDICT \N{RIGHTWARDS ARROW} hold: {text}\n")
