"""What is said on pytest's terminal when a run has ended: the decision, what led to it, and where it stands."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.domain.verdict import Conclusion
from postdeploy.errors import PostdeployError
from postdeploy.plugin.recorder import Recorder
from postdeploy.plugin.summary import summary
from postdeploy.reports import Report

if TYPE_CHECKING:
    from postdeploy.history.keeping import Kept

__all__ = ["say_kept", "say_last_words", "say_leaks", "say_unsealed"]

_ACTIONS: Final = {"promote": "promote", "hold": "hold", "rollback": "roll back"}
_COLOURS: Final = {Conclusion.PASS: "green", Conclusion.FAIL: "red", Conclusion.INCONCLUSIVE: "yellow"}


def say_last_words(config: pytest.Config, recorder: Recorder, reports: Sequence[Report] = ()) -> None:
    """The decision, and what led to it."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    verdict, evidence = recorder.verdict, recorder.evidence
    if reporter is None or verdict is None or evidence is None:
        return
    writer = reporter._tw  # noqa: SLF001  # the public writer methods of the reporter cannot colour
    title = verdict.conclusion.value.upper()
    if not (recorder.settings.monitor and verdict.conclusion is Conclusion.PASS):  # then there is nothing to do
        title += f" \N{RIGHTWARDS ARROW} {_ACTIONS[verdict.action.value]}"
    writer.sep("=", title, bold=True, **{_COLOURS[verdict.conclusion]: True})
    details = not reporter.no_summary and config.getoption("tbstyle") != "no"
    for text, markup in summary(verdict, evidence, details=details):
        writer.line(text, **markup)
    writer.line(f"verdict: {recorder.path}")
    for report in reports:
        if report.problem is None:
            writer.line(report.line)
        else:
            writer.line(f"warning: {report.line}", yellow=True)


def say_kept(recorder: Recorder, kept: Kept | None) -> None:
    """That the run is not in its history, and how it gets there; to standard error, like everything that is amiss."""
    if recorder.memory is not None and recorder.memory.problem is not None:
        sys.stderr.write(f"postdeploy: earlier runs could not be compared with: {recorder.memory.problem}\n")
    if kept is not None and kept.problem is not None:
        command = f"postdeploy history import {recorder.path.parent}"
        sys.stderr.write(f"postdeploy: this run is not in the history yet: {kept.problem}; later: {command}\n")


def say_leaks(leaks: Iterable[str]) -> None:
    """Secrets that were found in reports; to standard error, as the files must not be published."""
    for leak in leaks:
        sys.stderr.write(f"postdeploy: {leak}\n")


def say_unsealed(path: Path, error: Exception) -> None:
    """There is no verdict, and why; to standard error, as this matters without a terminal too."""
    text = str(error) if isinstance(error, PostdeployError) else f"{path}: {type(error).__name__}: {error}"
    sys.stderr.write(f"postdeploy: NO VERDICT \N{RIGHTWARDS ARROW} hold: {text}\n")
