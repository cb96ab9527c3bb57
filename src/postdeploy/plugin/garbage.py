"""Garbage collection: what start-up and collecting make lives until the end, so nobody needs to search it."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest

__all__ = ["GarbagePause"]


class GarbagePause:
    """No collection from now until the first test, and then only of what is made after it; registered as a plugin."""

    def __init__(self) -> None:
        self._paused = gc.isenabled()
        gc.disable()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Leave out all that is there when the tests begin."""
        gc.freeze()
        self._resume()
        return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Leave the process as it was found."""
        self._resume()
        gc.unfreeze()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            gc.enable()
