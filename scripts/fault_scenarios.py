"""Running TalkStudio's suites against the demo with a fault, as a pipeline would: a whole process, judged by its verdict."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Observed", "Scenario", "run_scenario"]

ROOT = Path(__file__).resolve().parent.parent
RELEASE = "c0ffee0"

_TARGETS = """\
targets:
  demo:
    services:
      web: {origin}
      api: {{url: "{origin}/api/v1", health: /healthz}}
    release: {{from: "web:/build-info.json", json: $.commit, header: x-release, within: 2s, consecutive: 3, interval: 50ms}}
    secrets: {{email: demo@talkstudio.com, password: demo-password, api_token: demo-api-token-0001}}
    access: read-write
    policy: {{deadline: 90s, confirm: {{attempts: 2, spacing: 200ms}}}}
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is broken, and what must come of it; ``arguments`` go to pytest, ``server`` to the demo."""

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


def run_scenario(scenario: Scenario, *more: str) -> Observed:
    """Start the demo with its fault, verify it, and read the verdict."""
    with tempfile.TemporaryDirectory() as folder, _demo(scenario) as origin:
        targets, reports = Path(folder, "targets.yaml"), Path(folder, "reports")
        targets.write_text(_TARGETS.format(origin=origin), "utf-8")
        command = [
            sys.executable, "-m", "pytest", "--target=demo", f"--targets={targets}", f"--reports={reports}",
            "-p", "no:cacheprovider", *scenario.arguments, *more,
        ]  # fmt: skip
        status, output = _run(command, scenario.kill_after)
        document = json.loads((reports / "verdict.json").read_text("utf-8"))
    return Observed(document["verdict"], document["reason"], document["action"], status, document, output)


def _run(command: list[str], kill_after: float | None) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    with subprocess.Popen(  # noqa: S603  # our own command
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        if kill_after is not None:
            time.sleep(kill_after)
            os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate(timeout=180)
        return process.returncode, output.decode("utf-8", "backslashreplace")


@contextmanager
def _demo(scenario: Scenario) -> Iterator[str]:
    command = [sys.executable, "-m", "demo", "--port", "0", "--quiet", "--environment", "demo", *scenario.server]
    if "--release" not in command:
        command += ["--release", RELEASE]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own command
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        line = process.stdout.readline().decode()
        try:
            found = re.search(r"https?://\S+", line)
            if found is None:
                raise RuntimeError(f"the demo did not start: {line!r}")
            yield found[0].rstrip("/")
        finally:
            process.terminate()
