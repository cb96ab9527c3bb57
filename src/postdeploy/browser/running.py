"""A running browser and a page in it, as a visit sees them, however they are driven."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Final, Protocol

from postdeploy.browser.find import INSTALL_HINT, Browser
from postdeploy.browser.task import PageTask
from postdeploy.browser.watch import Watch
from postdeploy.errors import BrowserUnavailableError

__all__ = ["ANSWER", "CLOSE", "LAUNCH", "RunningBrowser", "Tab", "in_time", "start_error"]

LAUNCH: Final = 20.0
"""Seconds that a browser has to start."""

CLOSE: Final = 0.5
"""Seconds that it has to end by itself."""

ANSWER: Final = 0.4
"""Seconds within which one that is well answers."""


class Tab(Protocol):
    """One page in a context of its own. Every method raises BrowserError where the browser cannot do it."""

    @property
    def url(self) -> str:
        """Where the page is."""

    async def open(self) -> None:
        """Make the context, and whatever can be made before it is said where to go."""

    async def goto(self, url: str) -> None:
        """Go there and wait until the document is parsed."""

    async def evaluate(self, script: str, argument: object) -> Any:
        """The value of a function in the page's own world."""

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until something has changed that is worth another look."""

    async def visible(self, selector: str) -> bool:
        """Whether anything visible matches."""

    async def text(self, selector: str) -> list[str]:
        """The text of the first match, if there is one."""

    async def screenshot(self, path: Path) -> None:
        """Write a picture of what is in view."""

    async def keep_trace(self, path: Path) -> None:
        """Write what was recorded."""

    async def close(self) -> None:
        """End the context, with all that is open in it."""


class RunningBrowser(Protocol):
    """A process that is there until it is told to end, or killed."""

    @property
    def alive(self) -> bool:
        """Whether it is there."""

    async def answers(self) -> bool:
        """Whether the browser itself responds, whatever its pages do."""

    def tab(self, task: PageTask, watch: Watch) -> Tab:
        """A page for a task, which is yet to be opened; ``watch`` is told what happens in it."""

    def kill(self) -> None:
        """End the browser at once: every call that waits for one of its pages fails."""

    async def close(self) -> None:
        """End the browser, by force where it does not end by itself."""


def start_error(found: Browser, error: BaseException) -> BrowserUnavailableError:
    """The error for a browser that did not start."""
    lines = str(error).strip().splitlines() or [f"it did not answer within {LAUNCH:.0f} s"]
    return BrowserUnavailableError(f"{found.executable} did not start: {lines[0]}; {INSTALL_HINT}")


async def in_time(action: Awaitable[object], seconds: float) -> None:
    """Wait for what may fail or take too long without harm."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(action, seconds)
