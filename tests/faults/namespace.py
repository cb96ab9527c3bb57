"""A network namespace from which nothing can be reached but this machine's loopback of its own."""

from __future__ import annotations

import os
import subprocess
from typing import Self

__all__ = ["Namespace"]


class Namespace:
    """Use it as a context; its name begins with that of whoever makes it. ``outside`` is an address of the machine."""

    outside = "127.0.0.1"

    def __init__(self, name: str) -> None:
        self.name = f"{name}-{os.getpid()}"

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with to run in it."""
        return ("ip", "netns", "exec", self.name)

    def __enter__(self) -> Self:
        """Make it, with its loopback up."""
        _ip("netns", "add", self.name)
        _ip("netns", "exec", self.name, "ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        """Delete it."""
        _ip("netns", "del", self.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)
