"""Garbage collection: what start-up and collecting make lives until the end, so nobody needs to search it."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import pytest

__all__ = ["GarbagePause", "without_garbage_collection"]

_PATIENCE: Final = 20_000
"""New containers between two looks for garbage; Python's 700 look some fifty times at the results of 200 checks, which
live until the end."""


@contextmanager
def without_garbage_collection() -> Generator[GarbagePause]:
    """No collection from now until the first test, and then seldom, and only of what is made after it.

    The process is left as it was found, after pytest's own last look for garbage. The interpreter's own looks, when it
    takes everything apart at its end, find nothing to look through.
    """
    pause, thresholds = GarbagePause(), gc.get_threshold()
    if 0 < thresholds[0] < _PATIENCE:
        gc.set_threshold(_PATIENCE, *thresholds[1:])
    try:
        yield pause
    finally:
        pause.end()
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        atexit.unregister(gc.freeze)
        atexit.register(gc.freeze)


class GarbagePause:
    """Registered as a plugin, since it ends when the tests begin."""

    def __init__(self) -> None:
        self._paused = gc.isenabled()
        gc.disable()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Leave out all that is there when the tests begin."""
        gc.freeze()
        self.end()
        return (yield)

    def end(self) -> None:
        """Collect again, unless it was off before; harmless when repeated."""
        if self._paused:
            self._paused = False
            gc.enable()
