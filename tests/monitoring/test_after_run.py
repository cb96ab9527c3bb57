from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate

from postdeploy.domain.evidence import Evidence
from postdeploy.domain.policy import Severity
from postdeploy.lazy_dataclass import replace
from postdeploy.monitoring.after_run import after_run
from postdeploy.monitoring.document import was_counted
from postdeploy.monitoring.seen import run_seen
from tests.docs.blocks import ROOT
from tests.domain.builders import down, evidence, failed, incidents, passed, release
from tests.sealed import FAILED, FINISHED, PASSED, seal
from tests.web_server import WebServer, respond

SCHEMA = json.loads((ROOT / "src/postdeploy/schemas/monitor.schema.json").read_text())
DOWN = evidence(
    run=PASSED.run, plan=PASSED.plan, services={"web": down("web"), "api": down("api")},
    release=release(expected=None, live=None, first={}, last={}, counts={}),
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Whoever is told."""
    web = WebServer().script("*", respond())
    yield web
    web.close()


class Monitor:
    """One monitor of target staging."""

    def __init__(self, folder: Path, more: str) -> None:
        self.reports = folder / "reports"
        self.targets = folder / "targets.yaml"
        self.targets.write_text(f"targets:\n  staging:\n    services: {{web: https://web.test}}\n{more}")
        self.warnings: list[str] = []
        self._runs = 0

    def run(self, run: Evidence, **environment: str) -> dict[str, Any]:
        """What is known after a run."""
        self._runs += 1
        name = {**run.run, "id": f"run-{self._runs}"}
        path = seal(self.reports, replace(run, run=name))
        return self.follow(json.loads(path.read_text()), **environment)

    def follow(self, document: dict[str, Any], **environment: str) -> dict[str, Any]:
        """What is known after a run with this verdict."""
        found = after_run(
            document,
            target="staging",
            targets=self.targets,
            reports=self.reports,
            history=None,
            warn=self.warnings.append,
            environment=environment,
            clock=lambda: FINISHED + 1,
        )
        validate(found, SCHEMA)
        assert json.loads((self.reports / "monitor.json").read_text()) == found
        return found


def test_all_of_it(tmp_path: Path, server: WebServer) -> None:
    """Runs are counted, people told, the heart beats, and the document fits its schema at each step."""
    monitor = Monitor(
        tmp_path,
        f"    heartbeat: {server.url}/beat\n    notify: {{team: {{webhook: {server.url}/hook}}}}\n"
        "    alerts: {after: 2 of 2, recovery: 1}\n",
    )
    assert [len(monitor.run(each)["alerts"]) for each in (PASSED, FAILED, FAILED, FAILED)] == [0, 0, 1, 1]
    found = monitor.run(PASSED)
    assert (found["alerts"], found["streaks"], found["heartbeat"], found["problems"]) == (
        [], {"passed": 1, "failed": 0, "inconclusive": 0}, "sent", [],
    )  # fmt: skip
    bodies = [json.loads(request.body) for request in server.seen if request.path == "/hook"]
    assert [body["title"] for body in bodies] == ["staging: OUTAGE", "staging: RECOVERED"]
    assert (bodies[0]["alert"]["checks"], bodies[0]["alert"]["runs"]) == (["api"], 2)
    assert [request.method for request in server.seen if request.path == "/beat"] == ["GET"] * 5
    assert was_counted(monitor.reports, "run-5")
    assert not was_counted(monitor.reports, "run-4")
    assert not was_counted(tmp_path, "run-5")


def test_nobody_answers(tmp_path: Path, server: WebServer) -> None:
    """A heartbeat and a receiver that fail are told without their addresses; the receiver hears it the next time."""
    server.script("/beat-0123456789abcdef", respond(404)).script("/hook-0123456789abcdef", respond(404), respond())
    monitor = Monitor(
        tmp_path,
        '    heartbeat: "${env:BEAT}"\n    notify: {team: {webhook: "${env:HOOK}"}}\n    alerts: {after: 1 of 1}\n',
    )
    secrets = {"BEAT": f"{server.url}/beat-0123456789abcdef", "HOOK": f"{server.url}/hook-0123456789abcdef"}
    found = monitor.run(FAILED, **secrets)
    assert (found["heartbeat"], found["untold"], len(found["problems"])) == ("failed", 1, 2)
    assert "0123456789abcdef" not in "".join(monitor.warnings)
    assert monitor.run(FAILED, **secrets)["untold"] == 0


def test_what_is_configured_wrongly(tmp_path: Path, server: WebServer) -> None:
    """What cannot be read is left out and told; what can be read works; without the file runs are counted still."""
    monitor = Monitor(
        tmp_path,
        f'    heartbeat: "${{env:NOT_SET}}"\n    notify: {{team: {{webhook: {server.url}/hook}}}}\n'
        "    alerts: {after: 1 of 1, recovery: none}\n",
    )
    monitor.run(FAILED)
    assert (server.paths(), len(monitor.warnings)) == (["/hook"], 2)
    monitor.targets.write_text("targets: [")
    assert monitor.run(FAILED)["streaks"]["failed"] == 2
    assert "nobody can be told" in monitor.warnings[2]


def test_a_run_that_never_finished(tmp_path: Path) -> None:
    """A run of which only the beginning stands on disk could not tell."""
    document = {
        "state": "started", "verdict": "inconclusive", "reason": "incomplete", "summary": "it began",
        "run": {"id": "run-9", "started": "2026-11-25T20:00:00Z", "finished": None},
        "target": {"name": "staging"}, "release": {"expected": None},
    }  # fmt: skip
    found = Monitor(tmp_path, "").follow(document)
    assert (found["streaks"]["inconclusive"], found["run"]["verdict"]) == (1, "inconclusive")


def seen(folder: Path, run: Evidence) -> Any:
    """What a run means to the alerts."""
    return run_seen(json.loads(seal(folder, run).read_text()), 0.0)


def test_what_a_run_means(tmp_path: Path) -> None:
    """What failed is named by what the verdict follows from; what answered is the release."""
    found = seen(tmp_path, FAILED)
    assert (found.verdict, found.checks, found.release, found.at) == ("fail", {"api": "api"}, "r2", FAILED.finished_at)
    assert found.cause is not None
    assert seen(tmp_path, PASSED).checks == {}


def test_what_names_an_outage(tmp_path: Path) -> None:
    """Minor checks are named where nothing else failed, and of a thousand not all are."""
    minor = replace(FAILED, plan=tuple(replace(check, severity=Severity.MINOR) for check in FAILED.plan))
    assert seen(tmp_path, minor).checks == {"api": "api"}
    mixed = evidence(failed("a"), failed("b"), run=FAILED.run)
    some = replace(mixed, plan=(replace(mixed.plan[0], severity=Severity.MINOR), mixed.plan[1]))
    assert seen(tmp_path, some).checks == {"b": "b"}
    many = evidence(*(failed(f"c{number}") for number in range(300)), run=FAILED.run)
    assert len(seen(tmp_path, many).checks) == 200


def test_a_target_that_is_gone(tmp_path: Path) -> None:
    """Of a target nothing answers: that is an outage, though not to a gate; a sick runner is none."""
    found = seen(tmp_path, DOWN)
    assert (found.verdict, found.reason) == ("fail", "target_not_live")
    sick = replace(DOWN, services={"web": down("web", target_fault=False), "api": down("api")})
    assert seen(tmp_path, sick).verdict == "inconclusive"
    late = evidence(passed("home"), failed("api"), run=PASSED.run, incidents=incidents("wrong_release"))
    assert seen(tmp_path, late).verdict == "inconclusive"
