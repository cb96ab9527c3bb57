"""The resident monitor: a small process that forks its runs, writes down what became of them, and does nothing else."""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from postdeploy.cli.descendants import adopt, end_rest
from postdeploy.cli.supervision import Ended, Inbox, supervise
from postdeploy.cli.verify import latest_end, new_run_id
from postdeploy.cli.watch_browser import BrowserKeeper
from postdeploy.cli.watch_output import complain
from postdeploy.cli.watch_run import launch_run, recover_run
from postdeploy.cli.watch_server import Server
from postdeploy.documents import VERDICT_FILE, read_document
from postdeploy.errors import DocumentError, JournalError
from postdeploy.lazy_dataclass import replace
from postdeploy.watching.archive import keep_reports
from postdeploy.watching.facts import LastRun, WatchFacts, read_watch, write_watch
from postdeploy.watching.readiness import Readiness
from postdeploy.watching.retention import KeptRun
from postdeploy.watching.schedule import between

__all__ = ["ResidentMonitor"]

_MARGIN = 60.0
"""Seconds that a launcher has after its run must be gone, to make a verdict of what is left and tell of it."""

_RECOVERY = 120.0


class ResidentMonitor:
    """Waits, runs, and counts.

    Args:
        arguments: of the command.
        inbox: where signals come in.
        due: seconds until the next tick.
        tell: called after each run with the facts.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        inbox: Inbox,
        due: Callable[[], float],
        tell: Callable[[WatchFacts], None],
        server: Server | None = None,
    ) -> None:
        self._arguments = arguments
        self._reports = Path(arguments.reports)
        self._inbox = inbox
        self._due = due
        self._tell = tell
        self._server = server
        self._browser = BrowserKeeper(keeps=not arguments.fresh_browser)
        self._systemd = Readiness()
        adopt()
        self._facts, broken = _resumed(arguments, self._reports, time.time() + due())
        self._broken = broken

    def begin(self) -> bool:
        """Bring in what a monitor that was killed has left; returns whether we are asked to end already."""
        self._write()
        asked = self._recover() if self._broken else False
        self._systemd.tell("READY=1", f"STATUS=watching {self._facts.target}")
        return asked

    def end(self) -> None:
        """We were asked to end."""
        self._systemd.tell("STOPPING=1")
        self._browser.close()
        self._facts = replace(self._facts, running=None, running_since=None, due=None, stopped=time.time())
        self._write()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until somebody asks us to end."""
        self._systemd.tell("WATCHDOG=1")
        return any(number in Inbox.ENDING for number in self._inbox.received(seconds))

    def missed(self, ticks: int) -> None:
        """So many ticks have had no run."""
        self._facts = replace(self._facts, missed=self._facts.missed + ticks)
        self._write()

    def run(self) -> bool:
        """One run, to its end; returns whether we were asked to end meanwhile."""
        name, begun, since, cpu = new_run_id(), time.time(), time.monotonic(), self._cpu()
        self._facts = replace(self._facts, running=name, running_since=begun, due=begun + self._due())
        self._write()
        self._keep_serving()
        ended = self._launch(name)
        if ended.forwarded:
            return True
        took = (begun, time.monotonic() - since, self._cpu() - cpu)
        if ended.status < 0 or ended.forced:
            end_rest(self._server.process if self._server else 0)
            self._recover()
        self._conclude(name, ended.status, took)
        self._browser.settle()
        return False

    def _launch(self, name: str) -> Ended:
        arguments = argparse.Namespace(**vars(self._arguments) | {"run_id": name})
        ends_at = latest_end(str(self._reports / VERDICT_FILE), name, arguments.wall_clock)
        return self._supervise(lambda: launch_run(arguments), lambda: ends_at() + _MARGIN, self._browser.lend())

    def _recover(self) -> bool:
        end = time.monotonic() + _RECOVERY
        return bool(self._supervise(lambda: recover_run(self._arguments), lambda: end).forwarded)

    def _supervise(
        self, work: Callable[[], int], ends_at: Callable[[], float], lent: dict[str, str] | None = None
    ) -> Ended:
        def ends_at_and_we_live() -> float:
            self._systemd.tell("WATCHDOG=1")
            return ends_at()

        return supervise(work, dict(os.environ) | (lent or {}), ends_at_and_we_live, self._inbox)

    def _conclude(self, name: str, status: int, took: tuple[float, float, float]) -> None:
        document = _verdict(self._reports, name)
        sealed = document.get("state") == "sealed"
        verdict, reason = (document["verdict"], document["reason"]) if sealed else ("inconclusive", "incomplete")
        before = self._facts.last
        run = KeptRun(name, verdict, before is None or (before.verdict, before.reason) != (verdict, reason))
        counts = document.get("counts") or {}
        last = LastRun(
            name, *took, status, verdict, reason, counts.get("planned", 0), counts.get("passed", 0), self._keep(run)
        )
        self._facts = replace(self._facts.ended(last, sealed=sealed), due=time.time() + self._due())
        self._write()
        self._tell(self._facts)

    def _keep(self, run: KeptRun) -> str | None:
        try:
            return keep_reports(self._reports, run, self._arguments.keep)
        except JournalError as error:
            complain(error)
            return None

    def _keep_serving(self) -> None:
        if self._server is not None and not self._server.alive:
            try:
                complain(f"the server had ended; {self._server.start()}")
            except OSError as error:
                complain(f"the server had ended, and does not start: {error}")

    def _cpu(self) -> float:
        """Seconds of processor time of all children that are over, with theirs, and of the browser that stays."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime + self._browser.cpu()

    def _write(self) -> None:
        """What cannot be written is told, and no reason to stop watching."""
        try:
            write_watch(self._reports, self._facts, now=time.time())
        except JournalError as error:
            complain(error)


def _resumed(arguments: argparse.Namespace, reports: Path, due: float) -> tuple[WatchFacts, bool]:
    """The facts to go on from, and whether the monitor before us died in the middle of a run.

    The ticks between its death and our first are missed; one that was stopped has missed none.
    """
    now = time.time()
    new = WatchFacts(arguments.target, arguments.every, os.getpid(), now, now, due=due)
    try:
        old = read_watch(reports)
    except DocumentError:
        return new, False
    if old.target != arguments.target:
        return new, False
    missed = 0 if old.stopped is not None or old.due is None else between(old.every, old.due, due)
    died = old.running is not None
    return replace(
        new, since=old.since, runs=old.runs, missed=old.missed + missed, lost=old.lost + died, last=old.last,
        durations=old.durations,
    ), died  # fmt: skip


def _verdict(reports: Path, name: str) -> dict[str, Any]:
    """The verdict of this run, or nothing."""
    try:
        document = read_document(reports / VERDICT_FILE)
        return document if document["run"]["id"] == name else {}
    except (DocumentError, KeyError, TypeError):
        return {}
