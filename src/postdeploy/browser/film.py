"""The pictures in a trace of Playwright's: frames of a film, in which nothing can be masked."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Final

from postdeploy.domain.redaction import Redactor

__all__ = ["may_be_filmed", "without_film"]

_FRAME: Final = re.compile(r"resources/page@[^/]*\.jpe?g")


def may_be_filmed(redactor: Redactor | None) -> bool:
    """Whether a trace may hold pictures: not where a secret is known, for the page may show it."""
    return redactor is None or not redactor.known


def without_film(path: Path, redactor: Redactor | None) -> None:
    """Take the pictures out of a trace if a secret has become known while it was recorded. Raises OSError."""
    if may_be_filmed(redactor) or not path.is_file():
        return
    with zipfile.ZipFile(path) as trace:
        names = [entry for entry in trace.infolist() if not _FRAME.fullmatch(entry.filename)]
        if len(names) == len(trace.infolist()):
            return
        fresh = path.with_name(f".{path.name}.part")
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as kept:
            for entry in names:
                kept.writestr(entry, trace.read(entry))
    fresh.replace(path)
