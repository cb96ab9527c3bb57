"""A browser that stays while runs come and go: started, looked after and ended by a process that never talks to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from postdeploy.browser.devtools.profile import Profile
from postdeploy.browser.devtools.switches import PIPES, switches
from postdeploy.browser.loan import LentPipes, Wish
from postdeploy.browser.processes import kill_process
from postdeploy.guard.fence import CLOSED_OFF

__all__ = ["ResidentBrowser", "Usage"]

_COMMANDS: Final = 1_000_000
"""More than a run gives, so that no answer to an older run is taken for one of its own."""

_END: Final = 5.0


class Usage(NamedTuple):
    """Of all its processes: seconds of processor time, and bytes of memory (shared ones count in each)."""

    cpu: float
    memory: int


class ResidentBrowser:
    """A browser for declared pages, which reaches nothing by itself. Raises OSError where it cannot be started."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.runs = 0
        self._profile = Profile()
        self.reading, told = os.pipe()
        heard, self._writing = os.pipe()
        named = (f"--user-agent={wish.user_agent}",) if wish.user_agent else ()
        command = (*PIPES, wish.executable, *switches(self._profile.path, (*named, *CLOSED_OFF)))
        try:
            self._process = subprocess.Popen(  # noqa: S603  # the run found this browser, and would start it itself
                command, stdin=heard, stdout=told, stderr=subprocess.DEVNULL, start_new_session=True
            )
        except OSError:
            self._let_go()
            raise
        finally:
            os.close(told)
            os.close(heard)

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        return self._process.poll() is None

    def lend(self) -> LentPipes:
        """What the next run needs to know of it."""
        self.runs += 1
        return LentPipes(self._process.pid, self.reading, self._writing, self.runs * _COMMANDS)

    def usage(self) -> Usage:
        """What it uses; nothing where that is not known."""
        found = list(_of_session(self._process.pid))
        cpu, memory = sum(each.cpu for each in found), sum(each.memory for each in found)
        return Usage(cpu, memory)

    def end(self) -> None:
        """End all of it by force: it has nothing to save."""
        if self.alive:
            kill_process(self._process.pid)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END)
        self._let_go()

    def _let_go(self) -> None:
        os.close(self.reading)
        os.close(self._writing)
        self._profile.remove()


def _of_session(leader: int) -> Iterator[Usage]:
    """What each process of a session uses, as proc_pid_stat(5) tells, with its children that have ended."""
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = file.read_text().rpartition(")")[2].split()  # from the third on
            if int(fields[3]) == leader:
                yield Usage(sum(map(int, fields[11:15])) / tick, int(fields[21]) * page)
