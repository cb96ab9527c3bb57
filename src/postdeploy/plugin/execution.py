"""What every process that runs items owns: the engine, the browser for declared pages, and the test that is running."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.created import LEDGER_FILE, CreationLedger
from postdeploy.domain.check import Check, Kind
from postdeploy.domain.control import ControlResult
from postdeploy.domain.evidence import PlannedCheck, ReleaseEvidence, ServiceState, control_record, service_record
from postdeploy.domain.health import OWN_FAULTS
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import Target
from postdeploy.engine.control import ControlWatch
from postdeploy.engine.engine import Engine, Readiness, RunContext
from postdeploy.engine.orphans import OrphanWatch
from postdeploy.errors import ProbeError
from postdeploy.guard.fence import BrowserFence
from postdeploy.plugin.activity import Activity
from postdeploy.plugin.foreseen_pages import is_narrowing
from postdeploy.plugin.handover import Handover
from postdeploy.plugin.keys import RECORDER
from postdeploy.plugin.lazy_pages import LazyPages
from postdeploy.plugin.progress import Progress
from postdeploy.plugin.settings import Settings
from postdeploy.plugin.traffic import Traffic

if TYPE_CHECKING:
    from postdeploy.plugin.own_server import OwnServer
    from postdeploy.plugin.recorder import Recorder

__all__ = ["Execution"]


class Execution:
    """Registered as a plugin; ``current`` is the activity of the Python test that is running."""

    def __init__(self, config: pytest.Config, settings: Settings, target: Target, context: RunContext) -> None:
        self.config = config
        self.settings = settings
        self.target = target
        self.context = context
        self.redactor = Redactor(target.secrets, threading.Lock())
        self.handover = Handover(settings.reports, context.run_id)
        self.orphans = OrphanWatch()
        self.current: Activity | None = None
        self.declared: list[Check] = []
        self._engine: Engine | None = None
        self._submitted = False
        self._readiness: Readiness | None = None
        self._server: OwnServer | None = None
        self._progress = Progress(config)
        self._control = ControlWatch(target, context.run_id, self._controlled)
        self._learnt: list[dict[str, Any]] = []
        self.traffic = Traffic(target.budget, self.handover.budget, context.deadline)
        self.fence = BrowserFence(target, lambda: self.traffic.meter, lambda: self.traffic.courtesy)
        self.pages = LazyPages(settings.browser, target, self.fence)
        self.ledger = CreationLedger(settings.reports / LEDGER_FILE, self.redactor.tree)

    @property
    def coordinates(self) -> bool:
        """Whether this process hands its items to xdist's workers."""
        return bool(self.config.pluginmanager.hasplugin("dsession"))

    @property
    def recorder(self) -> Recorder | None:
        """The keeper of the journal, in the process that has it."""
        return self.config.stash.get(RECORDER, None)

    # Hooks, in the order of a run.

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Start the target's own server, so that it gets ready while tests are collected."""
        self.traffic.several = bool(self.settings.worker) or self.coordinates
        if self.target.server and not self.settings.worker and self.settings.sends:
            from postdeploy.plugin.own_server import OwnServer

            self._server = OwnServer(self.target, self.settings, self.orphans)
            self._server.start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Preflight, the wait for the release and all declared checks begin before the first item runs."""
        broken = session.testsfailed and not session.config.option.continue_on_collection_errors
        if broken or not self.settings.sends:
            return (yield)
        try:
            if not self.settings.worker and not self.coordinates:
                self.prepare()
            result = yield
            self._settle(session)
            self._look_again()
        finally:
            self.close()
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """End what a run that broke off has left."""
        self.close()
        self.orphans.close()

    # What others ask of it.

    def expect_pages(self) -> None:
        """Start the browser while the rest is collected, unless something may yet leave its pages out."""
        if self.settings.sends and not (self.settings.worker or self.coordinates or is_narrowing(self.config.option)):
            self.pages.warm()

    def prepare(self) -> None:
        """Wait for the target; everything declared is in flight when this returns."""
        self._wait_for_server()
        if not self.coordinates and self._readiness is None:
            if any(check.kind is Kind.UI for check in self.declared):
                self.pages.warm()
            self._submit()
        self._control.begin()
        if self.recorder is not None:
            self.recorder.warm()
            self.recorder.readiness(self._ready())
        if self.coordinates:
            self.handover.tell_readiness(self._ready())

    @property
    def engine(self) -> Engine:
        """The engine of this process, started when it is first needed."""
        if self._engine is None:
            self._engine = Engine(
                self.target,
                self.context,
                pages=self.pages,
                fence=self.fence,
                ledger=self.ledger,
                meter=self.traffic.meter,
                redactor=self.redactor,
                on_service=lambda state: self._learn(service_record(state)),
                on_trouble=self._control.trouble,
                on_control=self._controlled,
            )
            self._engine.begin(wait=not self.settings.worker)
        return self._engine

    def result(self, check_id: str) -> CheckResult:
        """The result of a declared check, as soon as it is there."""
        obstacle = self._hopeless(check_id)
        if obstacle is not None:
            return obstacle
        self._submit()
        return self._progress.wait(self.engine.result(check_id), self.engine.unfinished)

    def result_at_once(self, check_id: str) -> CheckResult | None:
        """The result of a declared check that is there already; None where one may have to wait for it."""
        if not self._submitted or self._hopeless(check_id) is not None:
            return None
        future = self.engine.result(check_id)
        return future.result() if future.done() else None

    def obstacle(self, planned: PlannedCheck) -> CheckResult | None:
        """Why a Python test need not start: the target is not live, its service is down, or the time is over."""
        hopeless = self._hopeless(planned.id)
        if hopeless is not None:
            return hopeless
        if self.remaining() <= 0:
            return CheckResult(planned.id, Outcome.NOT_RUN, reason="the deadline of the run was reached")
        for name in planned.services:
            state = self._service(name)
            if state is not None and not state.live:
                return CheckResult(planned.id, Outcome.BLOCKED, reason=state.message, blocked_by=name)
        return self._not_live(planned.id)

    def remaining(self) -> float:
        """Seconds until the deadline of the run."""
        return (self.context.deadline or 0.0) - time.monotonic()

    def trouble(self, fault: ProbeError, url: str) -> None:
        """A Python test got no answer."""
        if fault.target_fault or fault.code in OWN_FAULTS:
            self._control.trouble(fault.code, url)

    def be_polite(self) -> None:
        """Wait as long as the target has asked for. Raises ProbeError where it wants no more requests."""
        try:
            self.traffic.wait()
        except ProbeError:
            if self.current is not None:
                self.current.limited()
            raise

    def learnt(self, *, failed: bool) -> list[dict[str, Any]]:
        """Records that a process without a journal has to send to the one that keeps it, each once."""
        if failed and self.settings.worker:
            self._control.settle()
        learnt, self._learnt = self._learnt, []
        return learnt

    def close(self) -> None:
        """End threads, browser and server, whatever becomes of each; harmless when repeated."""
        engine, server, self._server = self._engine, self._server, None
        with contextlib.ExitStack() as stack:
            if not self.settings.worker and self.recorder is not None:
                stack.callback(self.handover.forget)
                stack.callback(self._hear_alarms, self.recorder)
            stack.callback(self.traffic.close, last=not self.settings.worker)
            stack.callback(self.fence.close)
            stack.callback(self._close_ledger)
            if server is not None:
                stack.callback(server.stop)
            stack.callback(self.pages.close)
            if engine is not None:
                stack.callback(engine.close)

    def _hear_alarms(self, recorder: Recorder) -> None:
        """What tests of the workers have tried is an incident of the run."""
        for message in self.handover.alarms():
            recorder.incident("safety_violation", message)

    def _close_ledger(self) -> None:
        """Tell what the run has left on the target."""
        mine = self.ledger.mine(self.context.run_id)
        if mine and not self.settings.worker:
            left = f"postdeploy: {len(mine)} may be left on the target: postdeploy sweep {self.target.name}"
            self._progress.say(left)
        self.ledger.close()

    def _submit(self) -> None:
        """Start all declared checks; in a worker not before one of them is its to run, for another may have them."""
        if not self._submitted:
            self._submitted = True
            self.engine.submit(self.declared, self.recorder.came if self.recorder else None)

    def _hopeless(self, check_id: str) -> CheckResult | None:
        return None if any(one.answered_wrongly for one in self._ready().services) else self._not_live(check_id)

    def _not_live(self, check_id: str) -> CheckResult | None:
        release = self._ready().release
        return CheckResult(check_id, Outcome.NOT_RUN, reason=release.problem) if release.live is False else None

    def _ready(self) -> Readiness:
        if self._readiness is None and self.settings.worker:
            self._readiness = self.handover.readiness()
        if self._readiness is None:
            self._readiness = self._progress.wait_ready(self.engine)
        return self._readiness

    def _service(self, name: str) -> ServiceState | None:
        if self._engine is not None and name in self._engine.services:
            return self._engine.services[name]
        return next((state for state in self._ready().services if state.name == name), None)

    def _settle(self, session: pytest.Session) -> None:
        """A failure waits for what control probes say of it; a run in which all is well waits for nothing."""
        self._control.settle()
        if session.testsfailed and self._engine is not None and not self.settings.worker:
            self._engine.settle()

    def _look_again(self) -> None:
        if self.recorder is not None and self._engine is not None:
            self.recorder.looked_again(self._engine.look_again(), self._engine.used())

    def _controlled(self, result: ControlResult) -> None:
        self._learn(control_record(result))

    def _learn(self, record: dict[str, Any]) -> None:
        if self.recorder is not None:
            self.recorder.learn(record)
        elif self.settings.worker:
            self._learnt.append(record)

    def _wait_for_server(self) -> None:
        """A target whose own server does not start is not live; there is nothing to wait for."""
        if self._server is not None and self._readiness is None:
            said = self._server.wait()
            if self._server.problem is not None:
                release = ReleaseEvidence(self.context.expected, live=False, problem=self._server.problem)
                self._readiness = Readiness(release, ())
            elif said:
                self._progress.say(said)
