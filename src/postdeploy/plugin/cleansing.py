"""After a run, before its verdict is sealed: everything it has left behind is scrubbed, then looked through once more.

The second look shares no code with the scrubbing. What it finds is moved where nobody uploads it from.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from postdeploy.documents import VERDICT_FILE
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.secret import parts
from postdeploy.journal import EVIDENCE_FILE
from postdeploy.plugin.settings import Settings

__all__ = ["QUARANTINE", "cleanse"]

QUARANTINE: Final = ".postdeploy-quarantine"
"""The folder beside the reports for files in which a secret was found."""

_OPTIONS: Final = ("allure_report_dir", "xmlpath", "htmlpath", "json_report_file", "report_log", "log_file", "output")
"""Options of pytest and its plugins that name what else a run writes."""


def cleanse(config: pytest.Config, settings: Settings, redactor: Redactor) -> list[str]:
    """What was found in spite of the scrubbing, a sentence each; without secrets there is nothing to do.

    The evidence and the verdict are masked as they are written; here they are only looked through.
    """
    if not redactor.known:
        return []
    from postdeploy.guard.artifacts import files_below, scrub_files
    from postdeploy.guard.leaks import Traces, find_leaks

    places = [settings.reports, *_written(config.option)]
    own = {settings.reports / VERDICT_FILE, settings.reports / EVIDENCE_FILE}
    scrub_files((path for path in files_below(places) if path not in own), redactor)
    traces = Traces((secret.name, part) for secret in redactor.known for part in parts(secret.reveal()))
    found: dict[Path, list[str]] = {}
    for leak in find_leaks(places, traces):
        found.setdefault(leak.path, []).append(leak.secret)
    folder = settings.reports.parent / QUARANTINE
    return [_quarantined(path, names, folder) for path, names in found.items()]


def _written(option: Any) -> Iterator[Path]:
    for name in _OPTIONS:
        value = getattr(option, name, None)
        if isinstance(value, str | os.PathLike) and os.fspath(value):
            yield Path(value).absolute()


def _quarantined(path: Path, names: list[str], folder: Path) -> str:
    secrets = ", ".join(sorted(set(names)))
    try:
        kept = _move(path, folder)
    except OSError as error:
        return f"{path.name} holds {secrets} and cannot be moved away: {error.strerror}; do not publish the reports"
    return f"{path.name} held {secrets} after everything was masked; it was moved to {kept}"


def _move(path: Path, folder: Path) -> Path:
    """Where nobody but the owner can read it, and git does not see it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    with contextlib.suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as file:
        file.write("*\n")
    number = 1
    while (kept := folder / f"{number}-{path.name}").exists():
        number += 1
    path.chmod(0o600)
    try:
        path.rename(kept)
    except OSError:  # another disk
        content = path.read_bytes()
        kept.touch(mode=0o600)
        kept.write_bytes(content)
        path.unlink()
    return kept
