"""What the plugin writes to pytest's terminal, where there is one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from postdeploy.plugin.keys import PAYLOAD
from postdeploy.plugin.recorder import Recorder

__all__ = ["TerminalReport"]


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
