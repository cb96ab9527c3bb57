"""Running TalkStudio's suites against the demo with a fault, as a pipeline would: a whole process and its verdict."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

__all__ = ["ROOT", "SCENARIOS", "Observed", "Scenario", "Start", "run_scenario"]

Start = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str]]
"""Runs ``python WORDS`` with an environment in the repository; gives the exit status and what it said."""

ROOT = Path(__file__).resolve().parent.parent
RELEASE = "c0ffee0"

_TARGETS = """\
targets:
  demo:
    services:
      web: {origin}
      api: {{url: "{origin}/api/v1", health: /healthz}}
    release:
      {{from: "web:/build-info.json", json: $.commit, header: x-release, within: 2s, consecutive: 3, interval: 50ms}}
    secrets: {{email: demo@talkstudio.com, password: demo-password, api_token: demo-api-token-0001}}
    access: read-write
    policy: {{deadline: 90s, confirm: {{attempts: 2, spacing: 200ms}}}}
  staging: {{extends: demo}}
  production: {{extends: demo}}
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is broken, and what must come of it.

    ``arguments`` go to pytest, ``server`` to the demo; ``kill_after`` are seconds after the run began.
    """

    name: str
    verdict: str
    reason: str
    action: str
    status: int
    server: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ("--release", RELEASE)
    kill_after: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of it."""

    verdict: str
    reason: str
    action: str
    status: int
    document: dict[str, Any] = field(repr=False)
    output: str = field(repr=False)

    def agrees(self, scenario: Scenario) -> bool:
        """Whether it is what the scenario asks for."""
        expected = (scenario.verdict, scenario.reason, scenario.action, scenario.status)
        return (self.verdict, self.reason, self.action, self.status) == expected


def run_scenario(scenario: Scenario, *more: str, start: Start | None = None) -> Observed:
    """Start the demo with its fault, verify it by ``start`` or afresh, and read the verdict."""
    with tempfile.TemporaryDirectory() as folder, _demo(scenario, Path(folder)) as origin:
        targets, reports = Path(folder, "targets.yaml"), Path(folder, "reports")
        targets.write_text(_TARGETS.format(origin=origin), "utf-8")
        words = [
            "-m", "pytest", "--target=demo", f"--targets={targets}", f"--reports={reports}",
            "-p", "no:cacheprovider", *scenario.arguments, *more,
        ]  # fmt: skip
        environment = _environment(Path(folder))
        if start and scenario.kill_after is None:
            status, output = start(words, environment)
        else:
            status, output = _run([sys.executable, *words], environment, scenario.kill_after, reports)
        document = json.loads((reports / "verdict.json").read_text("utf-8"))
    return Observed(document["verdict"], document["reason"], document["action"], status, document, output)


def _environment(folder: Path) -> dict[str, str]:
    authorities = folder / "ca.pem"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return environment | ({"SSL_CERT_FILE": str(authorities)} if authorities.exists() else {})


def _run(
    command: list[str], environment: Mapping[str, str], kill_after: float | None, reports: Path
) -> tuple[int, str]:
    with subprocess.Popen(  # noqa: S603  # our own command
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        if kill_after is not None:
            _wait_for(reports / "verdict.json")
            time.sleep(kill_after)
            os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate(timeout=180)
        return process.returncode, output.decode("utf-8", "backslashreplace")


def _wait_for(path: Path) -> None:
    """Until the run has begun, however busy the machine is."""
    end = time.monotonic() + 60
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)


@contextmanager
def _demo(scenario: Scenario, folder: Path) -> Iterator[str]:
    command = [
        sys.executable, "-m", "demo", "--port", "0", "--quiet", "--environment", "demo",
        "--tls-dir", str(folder), *scenario.server,
    ]  # fmt: skip
    if "--release" not in command:
        command += ["--release", RELEASE]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own command
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        try:
            yield _origin(process.stdout)
        finally:
            process.terminate()


def _origin(lines: IO[bytes]) -> str:
    """Where the demo says that it listens."""
    said = []
    for line in lines:
        said.append(line.decode())
        found = re.search(r"https?://\S+", said[-1])
        if found is not None:
            return found[0].rstrip("/")
    raise RuntimeError(f"the demo did not start: {said}")


def _fault(name: str, verdict: str, reason: str, action: str, status: int, *, note: str = "") -> Scenario:
    return Scenario(name, verdict, reason, action, status, ("--fault", name), note=note)


_FAIL = ("fail", "confirmed_failure", "rollback", 20)
_HOLD = ("fail", "confirmed_failure", "hold", 10)

SCENARIOS = (
    Scenario("none", "pass", "all_required_passed", "promote", 0, note="nothing is broken"),
    _fault("api-500", *_FAIL, note="every API answer is a 500"),
    _fault("slow-api", *_FAIL, note="answers take 1.5 s, two expectations allow 1 s"),
    _fault("wrong-release", "inconclusive", "wrong_release", "hold", 10, note="another commit answers"),
    _fault("mixed-release", "inconclusive", "wrong_release", "hold", 10, note="every 2nd answer is the old commit's"),
    _fault("db-down", *_FAIL, note="one cause: the API's health path answers 503, its checks are blocked"),
    _fault("flaky", "pass", "passed_with_warnings", "promote", 0, note="one request fails once"),
    _fault("shaky", *_HOLD, note="every path fails once: two major checks never get through"),
    _fault("export-broken", *_FAIL, note="a UI check fails, with screenshot and trace"),
    _fault("console-error", *_FAIL, note="an uncaught error while the page loads"),
    _fault("missing-asset", *_FAIL, note="a script of the page is a 404"),
    _fault("theme-broken", *_HOLD, note="a major check fails"),
    _fault("message-not-shown", *_FAIL, note="a UI check fails"),
    _fault("login-broken", *_FAIL, note="right credentials are refused"),
    _fault("auth-open", *_FAIL, note="a protected route asks for no credentials"),
    _fault("empty-agents", *_FAIL, note="a list that must not be empty is"),
    _fault("html-instead-of-json", *_FAIL, note="a login page with status 200"),
    _fault("hang", *_FAIL, note="the API accepts and never answers: one cause"),
    _fault("down-after-start=30", *_FAIL, note="the server goes away in mid-run: one cause"),
    Scenario(
        "expired-certificate", *_FAIL, server=("--tls", "--fault", "expired-certificate"), note="one cause a service"
    ),
    Scenario(
        "killed",
        "inconclusive", "incomplete", "hold", -9, kill_after=1.0,
        note="SIGKILL in mid-run: the file says that the run started and never finished; the gate refuses it with 30",
    ),
)  # fmt: skip
