"""F38, F39, F41 to F44: disks that are full or read-only, verdicts that are none, streams and folders that go away."""

from __future__ import annotations

import json
import resource
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Compare
from tests.faults.expected import Expected, Observed, hold, promote, rollback, unsealed
from tests.faults.project import Project, Run, ask_gate

UNSTARTED = (2, 3, 4, 10)
"""Statuses of runs that could not write, by who noticed first: pytest, we, or the launcher."""

FAILING = "- {name: declared, get: 'api:/bad', expect: {status: 200}}"

Mount = Callable[[Path, str], None]


@pytest.fixture
def mount(root: None) -> Iterator[Mount]:
    """Mounts a small file system on a folder, until the test is over."""
    mounted = []

    def mount(folder: Path, options: str) -> None:
        folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leave not a byte."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            return


FILLS = """
import pathlib

def fill():
    with open(pathlib.Path(__file__).parent / "reports" / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            return
"""


@pytest.mark.row("F38", "the disk is full at the start")
def test_full_at_the_start(project: Project, mount: Mount) -> None:
    """Nothing is sent, and the message names the path."""
    project.healthy()
    mount(project.reports, "size=64k")
    fill(project.reports)
    run = project.run()
    run.require(unsealed(UNSTARTED, ("none", "started")))
    assert str(project.reports) in run.out
    assert "no space left" in run.out


@pytest.mark.row("F38", "the disk is full at the start, under the launcher")
def test_full_at_the_start_of_the_launcher(project: Project, mount: Mount) -> None:
    """Pytest is not even started."""
    project.healthy()
    mount(project.reports, "size=64k")
    fill(project.reports)
    run = project.launch()
    run.require(unsealed(10, "none"))
    assert str(project.reports) in run.out
    assert "test session starts" not in run.out


@pytest.mark.row("F38", "the disk gets full, and stays full until the verdict is sealed")
@pytest.mark.parametrize("when", ["at the end", "after collection", "at each report"])
def test_full_at_the_end(project: Project, mount: Mount, when: str) -> None:
    """The pessimistic verdict stays, and the message names the path."""
    project.healthy()
    collected = "pytest_xdist_node_collection_finished" if project.workers else "pytest_collection_finish"
    hook = {"after collection": f"{collected}()", "at each report": "pytest_runtest_logreport()"}.get(when)
    first = f"@pytest.hookimpl(tryfirst=True)\ndef {hook}:\n    fill()\n" if hook else ""
    project.conftest(f"""{FILLS}
import os

if "PYTEST_XDIST_WORKER" not in os.environ:
    {first.replace(chr(10), chr(10) + "    ")}
    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure():
        fill()
""")
    mount(project.reports, "size=64k")
    run = project.run("-p", "no:cacheprovider")
    run.require(unsealed(3))
    assert str(project.reports) in run.out
    assert "no space left" in run.out


@pytest.mark.row("F38", "the disk is full for a moment, in the middle of the run")
def test_full_for_a_moment(project: Project, mount: Mount) -> None:
    """What could not be kept is not made up for: the run ends without a verdict, though there is room again."""
    project.healthy()
    project.conftest(f"""{FILLS}
import os

if "PYTEST_XDIST_WORKER" not in os.environ:

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(report):
        fill()
        report.user_properties.append(("long", "x"))
        try:
            return (yield)
        finally:
            os.unlink(pathlib.Path(__file__).parent / "reports" / "filler")
""")
    project.tests(
        """
        import pytest

        @pytest.mark.parametrize("number", range(40))
        def test_many(api, number):
            assert api.get("/ok/many").status_code == 200
    """,
        "test_many.py",
    )
    mount(project.reports, "size=64k")
    run = project.run("-p", "no:cacheprovider")
    run.require(unsealed(3))
    assert "no space left" in run.out


@pytest.mark.row("F38", "the disk is full when the verdict is sealed, under the launcher")
def test_full_at_the_end_of_the_launcher(project: Project, mount: Mount) -> None:
    """A launcher that cannot write either holds; where the end of the run has made room, what was confirmed counts."""
    project.suite(FAILING)
    project.conftest(f"{FILLS}\n@pytest.hookimpl(trylast=True)\ndef pytest_unconfigure():\n    fill()\n")
    mount(project.reports, "size=64k")
    run = project.launch(pytest=("-p", "no:cacheprovider"))
    run.require(rollback() if run.document["state"] == "sealed" else unsealed((3, 10)))


@pytest.mark.row("F39", "no inodes are left")
def test_no_inodes(project: Project, mount: Mount) -> None:
    """The verdict cannot be replaced, so it stays what it was."""
    project.healthy()
    mount(project.reports, "nr_inodes=3")
    run = project.run()
    run.require(unsealed(UNSTARTED, ("none", "started")))


@pytest.mark.row("F39", "too few descriptors, memory, or file size")
@pytest.mark.parametrize("limit", ["-n 12", "-v 40000", "-f 1", "-u 1"])
def test_limits(project: Project, limit: str) -> None:
    """A run that cannot breathe is no pass."""
    project.healthy()
    user = "setpriv --reuid=65534 " if limit == "-u 1" else ""
    if user:
        project.folder.chmod(0o777)
    command = f"ulimit {limit}; exec {user}{shlex.join(project.pytest())}"
    run = project.ended(project.start(["bash", "-c", command]))
    observed = run.observed()
    wanted = Expected(verdict=("none", "started", "inconclusive"), gate=(10, 30))
    project.compare(wanted, observed, run.out)
    assert run.status not in {0, 20}


@pytest.mark.row("F39", "the descriptors run out in the middle of the run")
def test_descriptors_run_out(project: Project) -> None:
    """Requests that could not be made are no failures of the target."""
    project.suite()
    project.tests("""
        def test_a(api):
            assert api.get("/ok").status_code == 200

        def test_b(api):
            import os
            while True:
                os.open("/dev/null", os.O_RDONLY)
    """)
    project.conftest(f"""
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, {resource.getrlimit(resource.RLIMIT_NOFILE)[1]}))
    """)
    run = project.run()
    run.require(Expected(("inconclusive", "started"), status=(3, 10), gate=(10, 30)))


@pytest.mark.row("F39", "the folder is read-only, and an older pass is in it")
@pytest.mark.parametrize("launcher", [False, True])
def test_read_only(project: Project, mount: Mount, compare: Compare, *, launcher: bool) -> None:
    """The older pass is not taken for this run's."""
    project.healthy()
    mount(project.reports, "size=1m")
    project.run("--run-id=yesterday").require(promote())
    subprocess.run(["mount", "-o", "remount,ro", str(project.reports)], check=True)
    run = project.launch("--run-id=today") if launcher else project.run("--run-id=today")
    status, said = ask_gate(project.folder, "--run-id=today")
    assert str(project.reports) in run.out
    compare(Expected(status=(4, 10), gate=30), Observed(status=run.status, gate=status), said + run.out)


@pytest.mark.row("F39", "the folder becomes read-only in the middle of the run")
def test_read_only_later(project: Project, mount: Mount) -> None:
    """The kernel lets nobody take the right to write from under an open journal: it is what is mounted over it."""
    project.suite()
    project.tests(f"""
        import ctypes

        def test_a(api):
            assert api.get("/ok").status_code == 200
            read_only = 1
            assert not ctypes.CDLL(None).mount(b"tmpfs", {str(project.reports).encode()!r}, b"tmpfs", read_only, None)
    """)
    mount(project.reports, "size=1m")
    try:
        run = project.run()
    finally:
        subprocess.run(["umount", "-l", str(project.reports)], check=True)
    run.require(unsealed(3))
    assert f"NO VERDICT → hold: {project.reports}/evidence.jsonl: cannot be read back" in run.out


@pytest.mark.row("F39", "the memory runs out in a test")
def test_memory_runs_out(project: Project) -> None:
    """That says nothing about the target."""
    project.suite()
    project.tests("""
        import resource

        def test_a(api):
            assert api.get("/ok").status_code == 200
            pages = int(open("/proc/self/statm").read().split()[0])
            room = pages * resource.getpagesize() + (256 << 20)
            resource.setrlimit(resource.RLIMIT_AS, (room, resource.getrlimit(resource.RLIMIT_AS)[1]))
            bytearray(1 << 30)
    """)
    run = project.run()
    run.require(hold("required_check_not_proven"))
    assert "MemoryError" in json.dumps(run.document["checks"])


@pytest.fixture(scope="module")
def sealed(one_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that passed."""
    project = Project(tmp_path_factory.mktemp("sealed"), one_server.url, 0, lambda *_: None)
    project.healthy()
    assert project.run().status == 0
    return project.folder


def cut(part: float) -> Callable[[bytes], bytes]:
    """A file of which only the beginning was written."""
    return lambda content: content[: int(len(content) * part)]


def changed(**keys: Any) -> Callable[[bytes], bytes]:
    """A verdict with other values."""
    return lambda content: json.dumps(json.loads(content) | keys).encode()


CRAFTED: dict[str, Callable[[bytes], bytes]] = {
    "empty": cut(0),
    "half": cut(0.5),
    "last byte missing": cut(0.9999),
    "zeros": lambda content: b"\0" * len(content),
    "torn": lambda content: content[:512] + b"\0" * (len(content) - 512),
    "twice": lambda content: content + content,
    "duplicate key": lambda content: content.replace(b'"verdict": "pass"', b'"verdict": "fail", "verdict": "pass"'),
    "NaN": lambda content: content.replace(b'"counts": {', b'"counts": {"nan": NaN, '),
    "two megabytes": lambda content: content.replace(b'"summary": "', b'"summary": "' + b"x" * 2_000_000),
    "two megabytes of brackets": lambda _content: b"[" * 2_000_000,
    "not UTF-8": lambda content: content.replace(b'"summary": "', b'"summary": "\xff'),
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "a list": lambda content: b"[" + content + b"]",
    "other spaces": changed(),
    "other counts": changed(counts={"planned": 3, "passed": 3}),
    "started": changed(state="started"),
}


@pytest.mark.parametrize("how", CRAFTED)
@pytest.mark.row("F41", "a crafted verdict")
def test_a_crafted_verdict(sealed: Path, tmp_path: Path, compare: Compare, how: str) -> None:
    """A verdict that is not what was sealed, to the last byte, is refused."""
    shutil.copytree(sealed / "reports", tmp_path / "reports")
    path = tmp_path / "reports" / "verdict.json"
    before = path.read_bytes()
    path.write_bytes(CRAFTED[how](before))
    assert path.read_bytes() != before
    status, said = ask_gate(tmp_path)
    compare(Expected(gate=30), Observed(gate=status), said)


@pytest.mark.parametrize("how", ["last line missing", "torn", "empty", "gone"])
@pytest.mark.row("F41", "a torn journal beside a whole verdict")
def test_a_torn_journal(sealed: Path, tmp_path: Path, compare: Compare, how: str) -> None:
    """The verdict has to follow from the journal."""
    shutil.copytree(sealed / "reports", tmp_path / "reports")
    path = tmp_path / "reports" / "evidence.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    ends = {"last line missing": lines[:-1], "torn": [*lines[:-1], lines[-1][:-5]], "empty": []}
    path.unlink()
    if how in ends:
        path.write_bytes(b"".join(ends[how]))
    status, said = ask_gate(tmp_path)
    compare(Expected(gate=30), Observed(gate=status), said)


@pytest.mark.row("F42", "yesterday's sealed pass")
def test_a_stale_verdict(sealed: Path, compare: Compare) -> None:
    """A verdict is about a moment."""
    time.sleep(1.1)
    status, said = ask_gate(sealed, "--max-age=1s")
    compare(Expected(gate=30), Observed(gate=status), said)
    assert "stale" in said


@pytest.mark.row("F42", "the sealed pass of another run")
def test_a_verdict_of_another_run(sealed: Path, compare: Compare) -> None:
    """A pipeline that names its run gets no other's verdict."""
    status, said = ask_gate(sealed, "--run-id=mine")
    compare(Expected(gate=30), Observed(gate=status), said)


def through(project: Project, pipe: str, *, launcher: bool) -> Run:
    """Run in a shell, before a pipe; the status is that of the whole line."""
    command = shlex.join(project.verify() if launcher else project.pytest())
    return project.ended(project.start(["bash", "-c", f"{command} {pipe}"]))


@pytest.mark.row("F43", "a suite that fails, piped to head or tee, or with closed streams")
@pytest.mark.parametrize("pipe", ["| head -2", "| tee out.txt", ">&-", ">&- 2>&-", "> /dev/full"])
@pytest.mark.parametrize("launcher", [False, True], ids=["pytest", "verify"])
def test_output_of_a_failure(project: Project, pipe: str, *, launcher: bool) -> None:
    """The shell may say 0; the verdict is the truth, and the gate decides."""
    project.suite(FAILING)
    project.tests("def test_a(api):\n    assert api.get('/ok').status_code == 200\n")
    run = through(project, pipe, launcher=launcher)
    if pipe.startswith(">&-") and not launcher:
        run.require(unsealed(1, "none"))  # pytest itself cannot start; the launcher gives it streams
        return
    run.require(Expected("fail", "confirmed_failure", "rollback", None, 20))


@pytest.mark.row("F43", "a suite that passes, piped to head or tee, or with closed streams")
@pytest.mark.parametrize("pipe", ["| head -2", "| tee out.txt", ">&-", "> /dev/full"])
def test_output_of_a_pass(project: Project, pipe: str) -> None:
    """That nobody listens changes nothing."""
    project.healthy()
    run = through(project, pipe, launcher=True)
    run.require(Expected("pass", "all_required_passed", "promote", None, 0))


@pytest.mark.row("F44", "the reports folder is removed in a test")
@pytest.mark.parametrize("launcher", [False, True], ids=["pytest", "verify"])
def test_the_folder_is_removed(project: Project, *, launcher: bool) -> None:
    """Evidence that is gone proves nothing."""
    project.suite()
    project.tests(f"""
        import shutil

        def test_a(api):
            assert api.get("/ok").status_code == 200
            shutil.rmtree({str(project.reports)!r})
    """)
    run = project.launch() if launcher else project.run()
    run.require(unsealed((3, 10), ("none", "started")))


@pytest.mark.row("F44", "a test changes the folder")
def test_a_test_leaves(project: Project) -> None:
    """Reports go where they were asked to."""
    project.suite()
    project.tests("""
        import os

        def test_a(api, tmp_path):
            assert api.get("/ok").status_code == 200
            os.chdir(tmp_path)
    """)
    project.run("--reports=reports").require(promote())


@pytest.mark.row("F44", "the verdict or the journal is a link")
@pytest.mark.parametrize("name", ["verdict.json", "evidence.jsonl"])
@pytest.mark.parametrize("place", ["/dev/full", "precious"])
def test_a_link(project: Project, name: str, place: str) -> None:
    """Links are not followed: what they point at stays as it is."""
    project.healthy()
    project.reports.mkdir()
    precious = project.write("precious", "data")
    (project.reports / name).symlink_to(place if place.startswith("/") else precious)
    run = project.run("--run-id=mine")
    assert precious.read_text() == "data"
    if name == "evidence.jsonl":
        run.require(unsealed(4, "none"))
        assert "link" in run.out
    else:  # pytest begins with removing what an older run has left, and a link is a thing to remove
        run.require(promote())
        assert not (project.reports / name).is_symlink()


@pytest.mark.row("F44", "the reports folder is itself a link")
@pytest.mark.parametrize("launcher", [False, True], ids=["pytest", "verify"])
def test_a_linked_folder(project: Project, compare: Compare, *, launcher: bool) -> None:
    """It is refused by the run and by the gate, and what is in the folder that it points at stays as it is."""
    project.healthy()
    project.run("--run-id=earlier").require(promote())
    real = project.reports.rename(project.folder / "elsewhere")
    project.reports.symlink_to(real)
    before = {path.name: path.read_bytes() for path in real.iterdir() if path.is_file()}
    run = project.launch() if launcher else project.run()
    status, said = ask_gate(project.folder)
    assert {path.name: path.read_bytes() for path in real.iterdir() if path.is_file()} == before
    assert f"{project.reports}: a symbolic link" in run.out
    assert "a symbolic link" in said
    compare(Expected(status=10 if launcher else 4, gate=30), Observed(status=run.status, gate=status), said + run.out)


@pytest.mark.row("F44", "the verdict becomes a link in the middle of the run")
@pytest.mark.parametrize("launcher", [False, True], ids=["pytest", "verify"])
def test_a_link_comes(project: Project, *, launcher: bool) -> None:
    """Nor is one followed that comes later."""
    precious = project.write("precious", "data")
    project.suite()
    project.tests(f"""
        import os

        def test_a(api):
            assert api.get("/ok").status_code == 200
            os.unlink({str(project.reports / "verdict.json")!r})
            os.symlink({str(precious)!r}, {str(project.reports / "verdict.json")!r})
    """)
    run = project.launch() if launcher else project.run()
    assert precious.read_text() == "data"
    status, _ = ask_gate(project.folder)
    project.compare(Expected(status=(3, 10), gate=30), Observed(status=run.status, gate=status), run.out)


@pytest.mark.row("F44", "a run id that leads out of the folder")
@pytest.mark.parametrize("name", ["../../outside", "a/b", "/tmp/outside", "x\ny"])
def test_a_run_id_that_leaves(project: Project, name: str) -> None:
    """Names of runs are no paths."""
    project.healthy()
    run = project.run(f"--run-id={name}")
    run.require(Expected(status=4, gate=30))
    assert not list(project.folder.parent.glob("outside*"))
