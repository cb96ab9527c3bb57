"""What is kept of a page that failed: console and requests as text; their names and those of the pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from postdeploy.domain.observation import ConsoleMessage, FailedRequest

__all__ = ["CONSOLE", "REQUESTS", "SCREENSHOT", "TRACE", "kept", "write_logs"]

SCREENSHOT: Final = "screenshot.png"
TRACE: Final = "trace.zip"
CONSOLE: Final = "console.txt"
REQUESTS: Final = "requests.txt"
_NAMES: Final = (SCREENSHOT, TRACE, CONSOLE, REQUESTS)


def write_logs(folder: Path, console: Iterable[ConsoleMessage], requests: Iterable[FailedRequest]) -> None:
    """Write the console errors and the failed requests, a line each; no file where there are none.

    What an earlier run has left of its page is removed: it is no evidence of this one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _NAMES:
        (folder / name).unlink(missing_ok=True)
    for name, items in ((CONSOLE, console), (REQUESTS, requests)):
        lines = [f"{item}\n" for item in items]
        if lines:
            (folder / name).write_text("".join(lines), encoding="utf-8", errors="backslashreplace")


def kept(folder: Path) -> tuple[str, ...]:
    """The paths of what is there, below ``folder`` as it was given."""
    return tuple(str(folder / name) for name in _NAMES if (folder / name).is_file())
