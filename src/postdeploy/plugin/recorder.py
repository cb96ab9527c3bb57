"""What happens to a run, told to its journal: by the engine, by pytest, by xdist, by signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.config.lock import LOCK_FILE, load_lock
from postdeploy.domain.evidence import Evidence, ReleaseEvidence, ServiceState, service_record
from postdeploy.domain.mode import Mode
from postdeploy.domain.policy import Policy
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.target import Target
from postdeploy.engine.engine import Readiness, RunContext
from postdeploy.errors import ConfigurationError, SecretMissingError
from postdeploy.lazy_dataclass import asdict
from postdeploy.plugin.facts import about_baseline, about_run, about_target
from postdeploy.plugin.keys import PAYLOAD
from postdeploy.plugin.run_journal import RunJournal
from postdeploy.plugin.settings import Settings
from postdeploy.plugin.signals import Signals

if TYPE_CHECKING:
    from postdeploy.domain.verdict import Verdict
    from postdeploy.guard.sieve import Sieve
    from postdeploy.history.keeping import Kept
    from postdeploy.plugin.attempts import AttemptLog
    from postdeploy.plugin.memory import Memory

__all__ = ["Recorder"]

_FORETOLD: Final = (Outcome.FAILED, Outcome.BLOCKED)
"""What is kept before pytest tells of it."""


class Recorder:
    """Registered as a plugin in the one process that is not an xdist worker."""

    def __init__(self, config: pytest.Config, settings: Settings, run_id: str) -> None:
        self.config = config
        self.settings = settings
        self.run_id = run_id
        self.verdict: Verdict | None = None
        self.evidence: Evidence | None = None
        self.memory: Memory | None = None
        self.signals = Signals(self._signalled)
        self._journal = RunJournal(settings, self.signals)
        self._planned: set[str] | None = None
        self._files: Mapping[str, str] = {}
        self._ended_early = False
        self._deadline: float | None = None
        self._foretold: dict[str, str] = {}
        self._reported: set[str] = set()
        self._once = threading.Lock()

    # Beginning and end.

    def open(self, target: Target, context: RunContext, execution: Any) -> None:
        """Begin the journal. Raises ConfigurationError for a baseline or a lock that is none."""
        self._journal.redactor = execution.redactor
        baseline = about_baseline(self.settings.baseline) if self.settings.baseline else None
        lock = load_lock(self.settings.targets_file.parent / LOCK_FILE)
        self._deadline = context.deadline
        ends_at = time.time() + ((context.deadline or 0.0) - time.monotonic())
        self._start(about_target(target, self.settings), target.policy, context.expected, ends_at)
        if baseline is not None:
            self._journal.append(baseline)
        if lock is not None:
            self._journal.append({"record": "lock", "file": lock.file, "checks": list(lock.checks)})
        if self.memory is not None:
            if context.expected and self._mode is Mode.GATE:
                self.memory.begin_deploy(target.name, self.run_id)
            self.memory.recall(target.name, context.expected, self.learn, baseline=baseline is None)
        self.signals.install()

    def warm(self) -> None:
        """Import what sealing needs, while there is nothing to do but wait and files can still be opened."""
        with self.signals.postponed():
            from postdeploy.domain import decision
            from postdeploy.guard import artifacts, leaks
            from postdeploy.plugin import cleansing, last_words

            _ = artifacts, cleansing, decision, last_words, leaks

    def refuse(self, error: ConfigurationError) -> None:
        """The verdict of a run whose configuration is wrong: nothing was sent."""
        self._start({"name": self.settings.target}, Policy(), self.settings.release)
        reason = "secret_missing" if isinstance(error, SecretMissingError) else "config_error"
        self.incident(reason, str(error).strip().splitlines()[0])
        self.seal(int(pytest.ExitCode.USAGE_ERROR))

    def seal(self, pytest_exit: int, *, at_once: bool = False) -> Verdict:
        """The verdict, on disk. Raises JournalError or DocumentError if it could not be written."""
        self.evidence, self.verdict = self._journal.seal(int(pytest_exit), at_once=at_once)
        return self.verdict

    def cleanse(self) -> list[str]:
        """Take secrets out of everything that was written; what is found in spite of that is a safety violation."""
        from postdeploy.plugin.cleansing import cleanse

        self._journal.scrub_again()
        leaks = cleanse(self.config, self.settings, self._journal.redactor)
        for leak in leaks:
            self.incident("safety_violation", leak)
        return leaks

    def document(self) -> Mapping[str, Any]:
        """The verdict as it stands on disk. Raises DocumentError."""
        return self._journal.document()

    def sieve(self) -> Sieve | None:
        """What reports pass that are written after the verdict; None where no secret is known."""
        if not self._journal.redactor.known:
            return None
        from postdeploy.guard.sieve import Sieve

        return Sieve(self._journal.redactor)

    def remember(self) -> Kept | None:
        """Leave the sealed run in the history, if there is one."""
        if self.memory is None or self.evidence is None or self.verdict is None:
            return None
        return self.memory.keep(self.evidence, self.verdict)

    @cached_property
    def _attempts(self) -> AttemptLog:
        from postdeploy.plugin.attempts import AttemptLog

        return AttemptLog()

    @property
    def _mode(self) -> Mode:
        return Mode.MONITOR if self.settings.monitor else Mode.GATE

    @property
    def path(self) -> Any:
        """Where the verdict is."""
        return self._journal.path

    def _start(
        self, target: Mapping[str, Any], policy: Policy, expected: str | None, ends_at: float | None = None
    ) -> None:
        run = about_run(self.config, self.run_id, self._mode) | {"ends_at": ends_at}
        if self.settings.vantage:
            run["vantage"] = self.settings.vantage
        started = {"record": "started", "run": run, "target": target, "policy": policy.to_json(), "expected": expected}
        self._journal.open(started)

    def _signalled(self, name: str) -> None:
        late = name == "SIGXCPU"  # the launcher's word for the end of the time, and that of ulimit -t
        reason, message = "deadline_exceeded" if late else "interrupted", f"the run was ended by {name}"
        self._ended_early = True
        self.verdict = self._journal.revise(self.run_id, reason, message) or self.verdict
        if self.verdict is None:
            self.end_early(reason, message)

    def end_early(self, reason: str, message: str) -> None:
        """Seal now, for what comes after may not have the time to end. Raises JournalError or DocumentError."""
        self._ended_early = True
        self.incident(reason, message)
        self.seal(int(pytest.ExitCode.INTERRUPTED), at_once=True)

    # What the run tells.

    def plan(self, plan: Mapping[str, Any]) -> None:
        """What was collected; every worker tells, and they must agree."""
        ids, files = {check["id"] for check in plan["checks"]}, plan["files"]
        if self._planned is None:
            self._planned, self._files = ids, files
            self._journal.append({"record": "plan", "checks": plan["checks"], "narrowed_by": plan["narrowed_by"]})
            self._journal.append({"record": "suite", "files": files})
        elif self._planned != ids:
            self.incident("internal_error", "the workers collected different checks")
        elif self._files != files:
            self.incident("internal_error", "the workers read different files")

    def readiness(self, readiness: Readiness) -> None:
        """How preflight and the wait for the release went."""
        for state in readiness.services:
            self.service(state)
        self._journal.append({"record": "release", "release": asdict(readiness.release)})
        for wait in readiness.waits:
            self._journal.append({"record": "wait", "wait": asdict(wait)})
        release = readiness.release
        if release.live is False and not any(state.answered_wrongly for state in readiness.services):
            reason = "wrong_release" if release.first else "target_not_live"
            self.incident(reason, release.problem or "not live")

    def service(self, state: ServiceState) -> None:
        """A service that is up or down."""
        self._journal.append(service_record(state))

    def learn(self, record: Mapping[str, Any]) -> None:
        """A service that went down, or what a control probe came to, while checks ran; from any thread."""
        self._journal.append(record)

    def looked_again(self, release: ReleaseEvidence, used: Mapping[str, Any]) -> None:
        """What answered after the last check."""
        if release.last:
            self._journal.append({"record": "release", "release": {"last": dict(release.last)}})
        self._journal.append({"record": "budget", "used": dict(used)})

    def incident(self, reason: str, message: str) -> None:
        """Something happened to the run."""
        if self.verdict is None:
            self._journal.append({"record": "incident", "reason": reason, "message": message})

    def came(self, future: Future[CheckResult]) -> None:
        """The engine is done with a declared check: a failure is kept at once, for the run may die."""
        result = future.result()
        if result.outcome not in _FORETOLD:
            return
        with self._once:
            if result.check_id not in self._reported:
                self._foretold[result.check_id] = result.outcome.value
                self._journal.append({"record": "result", "result": result.to_json()})

    # What pytest tells.

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report says of its check."""
        payload = getattr(report, PAYLOAD, None)
        if payload is None:
            if report.failed:
                self._unexplained(report)
            return
        for record in payload.get("learnt", ()):
            self.learn(record)
        if isinstance(report, pytest.SubtestReport):
            self._attempts.add_part(payload)
            return
        if "result" in payload:
            self._result(payload["result"])
            return
        result = self._attempts.add(payload, rerun=str(report.outcome) == "rerun")
        if result is not None:
            self._result(result.to_json())

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that could not be collected hides checks."""
        payload = getattr(report, PAYLOAD, None)
        if payload:
            for problem in payload["problems"]:
                self.incident("config_error", problem)
        elif report.failed:
            self.incident(
                "required_check_missing", f"{report.nodeid} could not be collected: {_last(report.longreprtext)}"
            )
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            self.incident("required_check_missing", f"{report.nodeid} left itself out: {_last(reason)}")

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Pytest or a plugin broke."""
        self.incident("internal_error", _last(str(excrepr)))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Something in this process ended the run, unless it was pytest's own way to stop, or a signal."""
        if not self._ended_early and not excinfo.errisinstance(pytest.Session.Interrupted):
            self.end_early("interrupted", f"the run was interrupted: {excinfo.typename}")

    # The steps.

    def _result(self, result: Mapping[str, Any]) -> None:
        with self._once:  # the engine and pytest may tell of the same failure at the same time
            self._reported.add(result["check"])
            if self._foretold.pop(result["check"], None) != result["outcome"]:
                self._journal.append({"record": "result", "result": result})
        if result["outcome"] == Outcome.NOT_RUN and "deadline" in (result["reason"] or ""):
            self._overdue(result["reason"])
        elif result["outcome"] == Outcome.ERRORED and self._is_late():
            self._overdue(f"the deadline of the run was reached in {result['check']}")

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _overdue(self, reason: str) -> None:
        if not any(record.get("reason") == "deadline_exceeded" for record in self._journal.records):
            self.incident("deadline_exceeded", reason)

    def _unexplained(self, report: pytest.TestReport) -> None:
        """A failing report without our part: a worker died in this test, or another plugin made it up."""
        check_id = report.nodeid.split("@", 1)[0] if report.nodeid not in (self._planned or ()) else report.nodeid
        attempt = Attempt(Outcome.ERRORED, time.time(), 0.0, error=_last(report.longreprtext))
        self._result(CheckResult(check_id, Outcome.ERRORED, (attempt,), reason=attempt.error).to_json())


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:500] if lines else "no reason was given"
