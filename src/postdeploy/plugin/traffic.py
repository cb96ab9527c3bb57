"""What a run may send and what the target has asked for, counted over all of its processes."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from postdeploy.domain.target import Budget
from postdeploy.guard.budget import Meter, open_meter
from postdeploy.guard.courtesy import Courtesy
from postdeploy.guard.pace import StoppedError

__all__ = ["Traffic"]


class Traffic:
    """The meter and the courtesy of this process.

    Args:
        budget: of the target.
        file: where several processes count together.
        deadline: of the run, by the monotonic clock.
    """

    def __init__(self, budget: Budget, file: Path, deadline: float | None) -> None:
        self._budget = budget
        self._file = file
        self._deadline = deadline
        self._meter: Meter | None = None
        self._courtesy: Courtesy | None = None
        self.several = False

    @property
    def meter(self) -> Meter:
        """What counts; in the file where there are several processes, or a budget."""
        if self._meter is None:
            self._meter = open_meter(self._budget, self._file, shared=self.several)
        return self._meter

    @property
    def courtesy(self) -> Courtesy:
        """What the target has asked for, of whichever process."""
        if self._courtesy is None:
            self._courtesy = Courtesy(time.monotonic, self._deadline, self.meter.book)
        return self._courtesy

    def wait(self) -> None:
        """Wait as long as the target has asked for. Raises StoppedError where it wants no more requests."""
        if self.courtesy.stopped:
            raise StoppedError("rate_limited", self.courtesy.stopped, target_fault=False)
        if (pause := self.courtesy.pause()) > 0:
            time.sleep(pause)

    def close(self, *, last: bool) -> None:
        """Count no more; the last process takes the file along."""
        if self._meter is not None:
            self._meter.close()
        if last:
            with suppress(OSError):  # the folder is read-only now, and sealing will tell of it
                self._file.unlink(missing_ok=True)
