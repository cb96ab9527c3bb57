"""What tests ask about processes that they have started: what becomes true in time, and who is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["eventually", "marked"]


def eventually(look: Callable[[], bool], patience: float = 20.0) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + patience
    while not look() and time.monotonic() < end:
        time.sleep(0.02)
    return look()


def marked(variable: str, value: str) -> list[int]:
    """The processes that have this variable in their environment: whoever has it, and all that these have started."""
    sign, found = f"{variable}={value}".encode(), []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and sign in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found
