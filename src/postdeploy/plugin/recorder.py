"""The keeper of the journal: from reports to evidence, from evidence to the sealed verdict and the exit status."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from postdeploy import __version__
from postdeploy.domain.decision import decide
from postdeploy.domain.document import started_document, verdict_document
from postdeploy.domain.evidence import Evidence, ReleaseEvidence, ServiceState, fold, service_record
from postdeploy.domain.policy import Policy
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.target import Target
from postdeploy.domain.verdict import Verdict, exit_status
from postdeploy.engine.engine import Readiness, RunContext
from postdeploy.errors import ConfigurationError, DocumentError, JournalError, SecretMissingError
from postdeploy.journal import EVIDENCE_FILE, VERDICT_FILE, Journal, read_document, write_document
from postdeploy.plugin.attempts import AttemptLog
from postdeploy.plugin.keys import PAYLOAD
from postdeploy.plugin.options import Settings

__all__ = ["Recorder"]


class Recorder:
    """Registered as a plugin in the one process that is not an xdist worker."""

    def __init__(self, config: pytest.Config, settings: Settings, run_id: str) -> None:
        self.config = config
        self.settings = settings
        self.run_id = run_id
        self.verdict: Verdict | None = None
        self.evidence: Evidence | None = None
        self.path = settings.reports / VERDICT_FILE
        self._journal = Journal(settings.reports / EVIDENCE_FILE, self._scrub)
        self._records: list[Mapping[str, Any]] = []
        self._attempts = AttemptLog()
        self._planned: set[str] | None = None
        self._redactor: Any = None

    # Beginning and end.

    def open(self, target: Target, context: RunContext, execution: Any) -> None:
        """Write the first record and the pessimistic verdict; from here on no death looks like a pass."""
        self._redactor = execution.redactor
        ends_at = time.time() + ((context.deadline or 0.0) - time.monotonic())
        self._start(_describe(target, execution.settings), target.policy, context.expected, ends_at)
        if self.settings.baseline is not None:
            self._append(_baseline(self.settings))

    def refuse(self, error: ConfigurationError) -> None:
        """The verdict of a run whose configuration is wrong: nothing was sent."""
        self._start({"name": self.settings.target}, Policy(), self.settings.release)
        reason = "secret_missing" if isinstance(error, SecretMissingError) else "config_error"
        self.incident(reason, _first(str(error)))
        self._seal(int(pytest.ExitCode.USAGE_ERROR))

    def _start(
        self, target: Mapping[str, Any], policy: Policy, expected: str | None, ends_at: float | None = None
    ) -> None:
        record = {
            "record": "started",
            "run": self._run() | {"ends_at": ends_at},
            "target": target,
            "policy": policy.to_json(),
            "expected": expected,
        }
        self._append(record)
        write_document(self.path, self._scrub(started_document(record)))

    def _run(self) -> dict[str, Any]:
        plugins = {dist.metadata["name"]: dist.version for _, dist in self.config.pluginmanager.list_plugin_distinfo()}
        return {
            "id": self.run_id,
            "mode": "gate",
            "started": time.time(),
            "tool": {"name": "pytest-postdeploy", "version": __version__, "python": platform.python_version()},
            "argv": [str(argument) for argument in self.config.invocation_params.args],
            "plugins": plugins,
            "ci": _pipeline(),
            "pid": os.getpid(),
        }

    def _seal(self, pytest_exit: int) -> Verdict:
        self._append({"record": "finished", "at": time.time(), "pytest_exit": int(pytest_exit)})
        proof = self._journal.close()
        self.evidence = fold(self._records)
        self.verdict = decide(self.evidence)
        document = verdict_document(self.evidence, self.verdict, proof=proof, exporters={})
        write_document(self.path, document)
        if read_document(self.path) != json.loads(json.dumps(document)):
            raise DocumentError(f"{self.path}: what was read back is not what was written")
        return self.verdict

    # What the run tells.

    def plan(self, plan: Mapping[str, Any]) -> None:
        """What was collected; every worker tells, and they must agree."""
        ids = {check["id"] for check in plan["checks"]}
        if self._planned is None:
            self._planned = ids
            self._append({"record": "plan", **plan})
        elif self._planned != ids:
            self.incident("internal_error", "the workers collected different checks")

    def readiness(self, readiness: Readiness) -> None:
        """How preflight and the wait for the release went."""
        for state in readiness.services:
            self.service(state)
        self._append({"record": "release", "release": asdict(readiness.release)})
        release = readiness.release
        if release.live is False and not any(state.answered_wrongly for state in readiness.services):
            reason = "wrong_release" if release.first else "target_not_live"
            self.incident(reason, release.problem or "not live")

    def service(self, state: ServiceState) -> None:
        """A service that is up or down."""
        self._append(service_record(state))

    def looked_again(self, release: ReleaseEvidence, used: Mapping[str, Any]) -> None:
        """What answered after the last check."""
        if release.last:
            self._append({"record": "release", "release": {"last": dict(release.last)}})
        self._append({"record": "budget", "used": dict(used)})

    def incident(self, reason: str, message: str) -> None:
        """Something happened to the run."""
        self._append({"record": "incident", "reason": reason, "message": message})

    # What pytest tells.

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report says of its check."""
        payload = getattr(report, PAYLOAD, None)
        if payload is None:
            if report.failed:
                self._unexplained(report)
            return
        if "plan" in payload:
            self.plan(payload["plan"])
        if "result" in payload:
            self._result(CheckResult.from_json(payload["result"]))
            return
        result = self._attempts.add(payload, rerun=str(report.outcome) == "rerun")
        if result is not None:
            self._result(result)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that could not be collected hides checks."""
        payload = getattr(report, PAYLOAD, None)
        if payload:
            for problem in payload["problems"]:
                self.incident("config_error", problem["text"])
        elif report.failed:
            self.incident(
                "required_check_missing", f"{report.nodeid} could not be collected: {_last(report.longreprtext)}"
            )

    def pytest_internalerror(self, excrepr: Any) -> None:
        """Pytest or a plugin broke."""
        self.incident("internal_error", _last(str(excrepr)))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody ended the run."""
        self.incident("interrupted", f"the run was interrupted: {excinfo.typename}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker went away before its work was done."""
        if error:
            self.incident("worker_lost", f"worker {node.gateway.id}: {_last(str(error))}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Seal the verdict; the exit status of the process follows from it alone."""
        try:
            session.exitstatus = exit_status(self._seal(int(exitstatus)))
        except (JournalError, DocumentError) as error:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
            raise pytest.UsageError(str(error)) from error

    # The steps.

    def _result(self, result: CheckResult) -> None:
        self._append({"record": "result", "result": result.to_json()})
        if result.outcome is Outcome.NOT_RUN and result.reason and "deadline" in result.reason:
            self._overdue(result.reason)

    def _overdue(self, reason: str) -> None:
        if not any(record.get("reason") == "deadline_exceeded" for record in self._records):
            self.incident("deadline_exceeded", reason)

    def _unexplained(self, report: pytest.TestReport) -> None:
        """A failing report without our part: a worker died in this test, or another plugin made it up."""
        check_id = report.nodeid.split("@", 1)[0] if report.nodeid not in (self._planned or ()) else report.nodeid
        attempt = Attempt(Outcome.ERRORED, time.time(), 0.0, error=_last(report.longreprtext))
        self._result(CheckResult(check_id, Outcome.ERRORED, (attempt,), reason=attempt.error))

    def _append(self, record: Mapping[str, Any]) -> None:
        self._records.append(self._journal.append(record))

    def _scrub(self, record: Any) -> Any:
        return self._redactor.tree(record) if self._redactor is not None else record


def _describe(target: Target, settings: Settings) -> dict[str, Any]:
    return {
        "name": target.name,
        "services": {name: service.url for name, service in target.services.items()},
        "access": target.access.mode.value,
        "allow": [str(rule) for rule in target.access.allow],
        "config": {"file": str(settings.targets_file), "digest": target.config_digest},
    }


def _baseline(settings: Settings) -> dict[str, Any]:
    path = settings.baseline
    assert path is not None  # noqa: S101  # the caller has looked
    try:
        document = read_document(path)
        outcomes = {check["id"]: check["outcome"] for check in document["checks"]}
        release = document["release"]["expected"]
    except (DocumentError, KeyError, TypeError) as error:
        raise pytest.UsageError(f"--baseline {path}: not a sealed verdict: {error}") from error
    return {"record": "baseline", "release": release, "outcomes": outcomes, "source": str(path)}


def _pipeline() -> dict[str, str] | None:
    """The pipeline run that this belongs to, as far as it says so."""
    env = os.environ
    if env.get("GITHUB_RUN_ID"):
        url = f"{env.get('GITHUB_SERVER_URL', 'https://github.com')}/{env.get('GITHUB_REPOSITORY', '')}"
        return {"provider": "github", "url": f"{url}/actions/runs/{env['GITHUB_RUN_ID']}"}
    if env.get("CI_JOB_URL"):
        return {"provider": "gitlab", "url": env["CI_JOB_URL"]}
    return {"provider": "jenkins", "url": env["BUILD_URL"]} if env.get("BUILD_URL") else None


def _first(text: str) -> str:
    return text.strip().splitlines()[0]


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:500] if lines else "no reason was given"
