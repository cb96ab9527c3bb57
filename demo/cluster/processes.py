"""Releases as processes: each one is a `python -m demo` of its own."""

from __future__ import annotations

import subprocess
import sys

from demo.cluster.slots import Refused

__all__ = ["Processes"]

_PATIENCE = 5.0


class Processes:
    """Starts and ends the processes; knows which releases are made broken."""

    def __init__(self, environment: str, faults: dict[str, list[str]]) -> None:
        self._environment = environment
        self._faults = faults
        self._running: dict[str, subprocess.Popen[str]] = {}

    def start(self, release: str) -> str:
        """Start a release and return its address once it listens. Raises Refused."""
        faults = [word for fault in self._faults.get(release, ()) for word in ("--fault", fault)]
        about = ["--port", "0", "--release", release, "--environment", self._environment]
        command = [sys.executable, "-m", "demo", "--quiet", "--no-control", *about, *faults]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        self._running[release] = process
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            self.end(release)
            raise Refused(f"{release} does not start")
        return line.split()[-1]

    def end(self, release: str) -> None:
        """End a release, whether it runs or not."""
        process = self._running.pop(release, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def end_all(self) -> None:
        """End everything."""
        for release in list(self._running):
            self.end(release)
