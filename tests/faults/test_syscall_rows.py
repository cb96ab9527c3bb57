"""F40: the system calls on the verdict and on the journal fail or kill, one after the other, as strace makes them."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from postdeploy.demand import Demand
from postdeploy.gate import judge
from tests.faults.expected import Expected, Observed
from tests.faults.project import Project, clean_environment
from tests.warm_python import warm_python

FAULTS = ("error=ENOSPC", "error=EIO", "signal=SIGKILL", "signal=SIGTERM")

CALLS = {"openat": 3, "write": 2, "fsync": 4, "rename": 2, "read": 1}
"""How often each is called: for the first, pessimistic verdict, for the sealed one, and when that is read back."""

JOURNAL = {"openat": 2, "write": 6, "fsync": 1, "read": 1}

PROMOTED = 0

WAIT = """
import pathlib, runpy, sys, time
while "TracerPid:\\t0" in pathlib.Path("/proc/self/status").read_text():
    time.sleep(0.002)
"""

SPREAD = pytest.mark.parametrize("workers", [2], indirect=True, ids=["n2"])
ALONE = pytest.mark.parametrize("workers", [0], indirect=True, ids=["n0"])


@pytest.fixture(autouse=True)
def strace() -> None:
    """What injects; without it the rows are red."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")


def injected(project: Project, call: str, fault: str, number: int, paths: tuple[str, ...]) -> tuple[int, str]:
    """Run with one fault injected; returns the status that a shell would see, and what the run said.

    ``$$`` in a path is the id of the run. It waits for strace when all is imported, for strace makes each of the many
    calls that this takes slow; the server that forks it is traced, too, for it forks the workers.
    """
    shutil.rmtree(project.reports, ignore_errors=True)
    project.reports.mkdir()
    code = WAIT + f"sys.argv = {project.pytest()[2:]}\nrunpy.run_module('pytest', run_name='__main__', alter_sys=True)"
    with tempfile.TemporaryFile() as out, Path(os.devnull).open("rb") as none:
        streams = (none.fileno(), out.fileno(), out.fileno())
        run = warm_python().fork(("-c", code), str(project.folder), clean_environment(), streams)
        named = [word for path in paths for word in ("-P", f"{project.reports}{path}".replace("$$", str(run.pid)))]
        inject = ["-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}"]
        traced = ["-p", str(warm_python().pid), "-p", str(run.pid)]
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", *named, *inject, *traced])
        try:
            status = run.wait(60)
        finally:
            run.kill()
            tracer.terminate()
            tracer.wait(10)
        out.seek(0)
        return (status if status >= 0 else 128 - status), out.read().decode("utf-8", "replace")


def gate(project: Project, status: int) -> int:
    """What the gate says right after the run."""
    verdict = project.reports / "verdict.json"
    return judge(verdict, Demand("local", None, None, 900.0, time.time(), status=status)).status


def require(project: Project, points: Sequence[tuple[str, str, int, tuple[str, ...]]]) -> None:
    """No injection makes the gate promote, nor a process that was disturbed say that all is well."""
    wrong = []
    for call, fault, number, paths in points:
        status, said = injected(project, call, fault, number, paths)
        ruling = gate(project, status)
        if PROMOTED in {ruling, status}:
            wrong.append(f"{call} {fault} {number}: status {status}, gate {ruling}\n{said[-1500:]}")
    counted = Observed(gate=30 if not wrong else PROMOTED)
    project.compare(Expected(gate=30), counted, "\n".join(wrong))


def suite(project: Project, kind: str) -> None:
    """One that passes, or one that fails."""
    if kind == "passes":
        project.suite()
    else:
        project.suite("- {name: declared, get: 'api:/bad', expect: {status: 200}}")


VERDICT = ("/verdict.json", "/.verdict.json.$$")


@ALONE
@pytest.mark.row("F40", "ENOSPC, EIO, SIGKILL, SIGTERM at each call on the verdict's files (96 injections)")
@pytest.mark.parametrize("kind", ["passes", "fails"])
@pytest.mark.parametrize("call", CALLS)
def test_calls_on_the_verdict(project: Project, call: str, kind: str) -> None:
    """Whatever a call on the verdict does, there is no promotion."""
    suite(project, kind)
    numbers = range(1, CALLS[call] + 1)
    paths = (*VERDICT, "") if call == "fsync" else VERDICT
    require(project, [(call, fault, number, paths) for number, fault in itertools.product(numbers, FAULTS)])


@ALONE
@pytest.mark.row("F40", "ENOSPC, EIO, SIGKILL, SIGTERM at calls on the journal")
@pytest.mark.parametrize("call", JOURNAL)
def test_calls_on_the_journal(project: Project, call: str) -> None:
    """A verdict that rests on a part of the evidence is none."""
    suite(project, "passes")
    numbers = range(1, JOURNAL[call] + 1)
    points = [(call, FAULTS[number % 4], number, ("/evidence.jsonl",)) for number in numbers]
    require(project, points)


@SPREAD
@pytest.mark.row("F40", "a fault at each call on the verdict's files, with workers")
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_calls_with_workers(project: Project, call: str) -> None:
    """The same with workers; only the controller writes."""
    suite(project, "passes")
    paths = (*VERDICT, "") if call == "fsync" else VERDICT
    last = CALLS[call]
    require(project, [(call, fault, last, paths) for fault in FAULTS])
