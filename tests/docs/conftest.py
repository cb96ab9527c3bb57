"""One run of every example against the demo, shared by all tests that look at what a run leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import ROOT, blocks, suite_of

_TARGETS = """\
targets:
  development:
    services: {{web: "{url}", api: {{url: "{url}/api/v1", health: /healthz}}}}
    release: {{from: "web:/build-info.json", json: $.commit, header: x-release, within: 10s, interval: 50ms}}
    secrets: {{email: demo@talkstudio.com, password: demo-password, api_token: demo-api-token-0001}}
    access: read-write
    policy: {{deadline: 90s, confirm: {{attempts: 2, spacing: 300ms}}}}
  staging:
    extends: development
  production:
    extends: development
"""


@dataclass(frozen=True, slots=True)
class SharedRun:
    """What came of it."""

    status: int
    output: str
    verdict: dict[str, Any]
    records: list[dict[str, Any]]


@contextmanager
def demo(*arguments: str) -> Iterator[str]:
    """A demo on a free port, by its URL."""
    command = [sys.executable, "-m", "demo", "--port", "0", "--quiet", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def launch(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module of ours as a user does, in a folder; both streams are one."""
    left_out = ("PYTEST_", "COV_", "CI", "BUILD_NUMBER")  # pytest shortens no line where it knows of a pipeline
    environment = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="session")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> SharedRun:
    """Every example of the documentation that can run, in one run against the demo."""
    folder = tmp_path_factory.mktemp("documented")
    (folder / "suites").mkdir()
    for block in blocks("yaml"):
        suite = suite_of(block)
        if suite is not None:
            (folder / "suites" / f"{block.slug}.yaml").write_text(suite, encoding="utf-8")
    for block in blocks("python"):
        if "def test_" in block.text:
            (folder / "suites" / f"test_{block.slug}.py").write_text(block.text, encoding="utf-8")
    with demo() as url:
        (folder / "targets.yaml").write_text(_TARGETS.format(url=url), encoding="utf-8")
        ended = launch(folder, "pytest", "--target=development", "-p", "no:cacheprovider")
    journal = (folder / "reports" / "evidence.jsonl").read_text(encoding="utf-8")
    return SharedRun(
        ended.returncode,
        ended.stdout,
        json.loads((folder / "reports" / "verdict.json").read_bytes()),
        [json.loads(line) for line in journal.splitlines()],
    )


@pytest.fixture(scope="session")
def help_of() -> Callable[..., str]:
    """The help of a command, asked for once."""
    known: dict[tuple[str, ...], str] = {}

    def ask(*command: str) -> str:
        if command not in known:
            known[command] = launch(ROOT, *command, "--help").stdout
        return known[command]

    return ask
