"""P01 to P06: a run that is safe to point at production."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.faults.expected import promote
from tests.faults.project import Project, clean_environment
from tests.faults.server import FaultServer
from tests.faults.store import SUITE, TESTS, Store

SECRET = "token-4f1c09d2"


@pytest.fixture
def store(server: FaultServer) -> Iterator[Store]:
    """A store behind the fault server."""
    one = Store(server)
    one.serve()
    yield one
    server.fallback = None


def _project(project: Project) -> None:
    project.target(f"secrets: {{token: {SECRET}}}\n")
    project.suite(SUITE)
    project.tests(TESTS)


def _sweep(project: Project) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "postdeploy", "sweep", "local"]
    return subprocess.run(
        command, cwd=project.folder, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.row("P06", "nothing goes wrong: the cleanup leaves nothing, and no ledger")
def test_a_run_cleans_up(project: Project, store: Store) -> None:
    """What the rows start from."""
    _project(project)
    run = project.run()
    run.require(promote())
    assert store.things == {}
    assert not (project.reports / "created.jsonl").exists()


@pytest.mark.row("P06", "SIGKILL of the run and all its workers at 20 points between creating and cleaning up")
def test_what_a_killed_run_leaves_is_swept(project: Project, store: Store) -> None:
    """However far it had come, a sweep removes what is left, and the ledger holds no secret."""
    _project(project)
    points = range(20) if not project.workers else range(1, 20, 2)
    for point in points:
        store.things.clear()
        store.count, store.kill_at = 0, None
        process = project.start(project.pytest(), start_new_session=True)
        store.victim, store.kill_at = process.pid, point
        project.ended(process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        ledger = project.reports / "created.jsonl"
        assert SECRET not in (ledger.read_text() if ledger.exists() else "")
        store.kill_at = None
        swept = _sweep(project)
        assert (swept.returncode, store.things) == (0, {}), (point, swept.stdout, swept.stderr)
        assert SECRET not in swept.stdout
