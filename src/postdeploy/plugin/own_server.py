"""The local server that a target starts by itself: it gets ready while tests are collected."""

from __future__ import annotations

from postdeploy.domain.target import Target
from postdeploy.engine.orphans import OrphanWatch
from postdeploy.engine.server import ServerProcess
from postdeploy.errors import ServerStartError
from postdeploy.plugin.settings import Settings

__all__ = ["OwnServer"]


class OwnServer:
    """Its process; ``problem`` says why it does not answer, if it does not."""

    def __init__(self, target: Target, settings: Settings, orphans: OrphanWatch) -> None:
        self.problem: str | None = None
        self._process = ServerProcess(target, settings.root, settings.reports)
        self._orphans = orphans

    def start(self) -> None:
        """Start it; nothing that it has started outlives this process."""
        try:
            self._process.start()
        except ServerStartError as error:
            self.problem = str(error)
        if self._process.pid is not None:
            self._orphans.watch(self._process.pid, group=True)

    def wait(self) -> str | None:
        """Wait until it answers; returns what to tell of it."""
        if self.problem is None:
            try:
                return self._process.wait()
            except ServerStartError as error:
                self.problem = str(error)
        return None

    def stop(self) -> None:
        """End it."""
        self._process.stop()
