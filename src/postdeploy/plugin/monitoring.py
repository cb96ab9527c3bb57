"""What follows a scheduled run in the process that ran it: nothing of it changes the verdict or the exit status."""

from __future__ import annotations

import sys

from postdeploy.plugin.recorder import Recorder

__all__ = ["follow_up"]


def follow_up(recorder: Recorder) -> None:
    """Count the run among the others, and tell whoever is to be told; what goes wrong is told on standard error."""
    settings = recorder.settings
    if not settings.monitor:
        return
    try:
        from postdeploy.documents import read_document
        from postdeploy.monitoring.after_run import after_run

        after_run(
            read_document(recorder.path),
            target=settings.target,
            targets=settings.targets_file,
            reports=settings.reports,
            history=recorder.memory.place if recorder.memory is not None else None,
            warn=_warn,
        )
    except Exception as error:  # noqa: BLE001  # alerts never change what they are about
        _warn(f"nobody was told: {type(error).__name__}: {error}")


def _warn(text: str) -> None:
    sys.stderr.write(f"postdeploy: monitor: {text}\n")
