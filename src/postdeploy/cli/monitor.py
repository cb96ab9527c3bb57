"""After ``postdeploy verify --monitor``: what the run itself could not do, because it was killed or never began."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["finish_monitoring"]


def finish_monitoring(arguments: argparse.Namespace, run_id: str, reports: str) -> None:
    """Count the run and tell people, unless it has; whatever goes wrong is told on standard error."""
    try:
        _finish(arguments, run_id, Path(reports))
    except Exception as error:  # noqa: BLE001  # alerts never change what they are about
        _warn(f"nobody was told: {type(error).__name__}: {error}")


def _finish(arguments: argparse.Namespace, run_id: str, reports: Path) -> None:
    from postdeploy.documents import VERDICT_FILE, read_document
    from postdeploy.monitoring.document import was_counted

    if was_counted(reports, run_id):
        return
    from postdeploy.cli.history_place import find_history
    from postdeploy.errors import PostdeployError
    from postdeploy.monitoring.after_run import after_run

    try:
        found = find_history(arguments)
    except PostdeployError as error:
        _warn(str(error))
        found = None
    after_run(
        read_document(reports / VERDICT_FILE),
        target=arguments.target,
        targets=Path(arguments.targets or "targets.yaml"),
        reports=reports,
        history=found[0] if found else None,
        warn=_warn,
    )


def _warn(text: str) -> None:
    print(f"monitor: {text}", file=sys.stderr)
