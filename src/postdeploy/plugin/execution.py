"""What every process that runs items owns: the engine, the browsers, the clients, and the test that is running."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.domain.check import Check
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import Target
from postdeploy.engine.engine import Engine, Readiness, RunContext
from postdeploy.engine.server import ServerProcess
from postdeploy.errors import ServerStartError
from postdeploy.plugin.activity import Activity
from postdeploy.plugin.keys import PLANNED, RECORDER, RESULT
from postdeploy.plugin.options import Settings
from postdeploy.plugin.progress import Progress

if TYPE_CHECKING:
    from postdeploy.browser.pages import PagePool

__all__ = ["Execution"]


class Execution:
    """Registered as a plugin; ``current`` is the activity of the Python test that is running."""

    def __init__(self, config: pytest.Config, settings: Settings, target: Target, context: RunContext) -> None:
        self.config = config
        self.settings = settings
        self.target = target
        self.context = context
        self.redactor = Redactor(target.secrets)
        self.current: Activity | None = None
        self.declared: list[Check] = []
        self.plan: Mapping[str, Any] | None = None
        self._engine: Engine | None = None
        self._pages: PagePool | None = None
        self._server: ServerProcess | None = None
        self._progress = Progress(config)

    @property
    def coordinates(self) -> bool:
        """Whether this process hands its items to xdist's workers."""
        return bool(self.config.pluginmanager.hasplugin("dsession"))

    # Hooks, in the order of a run.

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Start the target's own server, so that it gets ready while tests are collected."""
        if self.target.server and not self.settings.worker and not self.settings.dry:
            self._server = ServerProcess(self.target, self.settings.root, self.settings.reports)
            self._server.start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Preflight, the wait for the release and all declared checks begin before the first item runs."""
        if self.settings.dry or (session.testsfailed and not session.config.option.continue_on_collection_errors):
            return (yield)
        try:
            if not self.settings.worker:
                self._prepare()
            result = yield
            self._look_again()
        finally:
            self.close()
        return result

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A test whose target is not live, whose service is down, or whose time is over does not start."""
        planned = item.stash.get(PLANNED, None)
        if planned is None or item.stash.get(RESULT, None) is not None:
            return
        result = self._obstacle(planned.id, planned.services)
        if result is not None:
            item.stash[RESULT] = result
            pytest.skip(f"{result.outcome.value.replace('_', ' ')}: {result.reason}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """End what a run that broke off has left."""
        self.close()

    # What others ask of it.

    @property
    def engine(self) -> Engine:
        """The engine of this process, started when it is first needed."""
        if self._engine is None:
            self._engine = Engine(
                self.target,
                self.context,
                pages=_LazyPages(self),
                redactor=self.redactor,
                on_service=self._service_changed,
            )
            self._engine.begin(wait=not self.settings.worker)
            if not self.coordinates:
                self._engine.submit(self.declared)
        return self._engine

    def result(self, check_id: str) -> CheckResult:
        """The result of a declared check, as soon as it is there."""
        return self._progress.wait(self.engine.result(check_id), self.engine.unfinished)

    def pages(self) -> PagePool:
        """The browser for declared pages."""
        if self._pages is None:
            from postdeploy.browser.find import find_browser
            from postdeploy.browser.pages import PagePool
            from postdeploy.guard.identity import user_agent

            self._pages = PagePool(
                lambda: find_browser(self.settings.browser, os.environ),
                user_agent=user_agent(),
                release_header=self.target.release.header if self.target.release else None,
            )
        return self._pages

    def remaining(self) -> float:
        """Seconds until the deadline of the run."""
        return (self.context.deadline or 0.0) - time.monotonic()

    def close(self) -> None:
        """End threads, browsers and the server; harmless when repeated."""
        if self._engine is not None:
            self._engine.close()
        if self._pages is not None:
            self._pages.close()
            self._pages = None
        if self._server is not None:
            self._server.stop()
            self._server = None

    # The steps.

    def _prepare(self) -> None:
        recorder = self.config.stash.get(RECORDER, None)
        try:
            if self._server is not None:
                self._progress.say(self._server.wait())
        except ServerStartError as error:
            if recorder is not None:
                recorder.incident("target_not_live", str(error))
        if any(True for check in self.declared if check.kind == "ui") and not self.coordinates:
            self.pages().warm()
        readiness = self._progress.wait_ready(self.engine)
        if recorder is not None:
            recorder.readiness(readiness)

    def _look_again(self) -> None:
        recorder = self.config.stash.get(RECORDER, None)
        if recorder is not None and self._engine is not None:
            recorder.looked_again(self._engine.look_again(), self._engine.used())

    def _obstacle(self, check_id: str, services: Iterable[str]) -> CheckResult | None:
        readiness: Readiness = self._progress.wait_ready(self.engine)
        if readiness.release.live is False:
            return CheckResult(check_id, Outcome.NOT_RUN, reason=readiness.release.problem)
        if self.engine.overdue.is_set() or self.remaining() <= 0:
            return CheckResult(check_id, Outcome.NOT_RUN, reason="the deadline of the run was reached")
        for name in services:
            state = self.engine.services.get(name)
            if state is not None and not state.live:
                return CheckResult(check_id, Outcome.BLOCKED, reason=state.message, blocked_by=name)
        return None

    def _service_changed(self, state: Any) -> None:
        recorder = self.config.stash.get(RECORDER, None)
        if recorder is not None:
            recorder.service(state)


class _LazyPages:
    """Stands for the browser until a page is asked for."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def submit(self, task: Any) -> Any:
        """Look at a page."""
        return self._execution.pages().submit(task)
