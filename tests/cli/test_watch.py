from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from postdeploy.cli import main
from postdeploy.watching.archive import kept_runs
from postdeploy.watching.facts import WatchFacts, read_watch
from tests.cli.processes import eventually, marked
from tests.cli.project import Project, serve

MARKER = "POSTDEPLOY_TEST_WATCH"

HANG = """
import os, subprocess, sys, time

def test_hang(web):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open("hangs", "w").close()
    time.sleep(60)
"""

IMPORTED = """
import atexit, sys
before = set(sys.modules)
atexit.register(lambda: open("imported", "w").write(" ".join(sorted(set(sys.modules) - before))))
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A site that is up."""
    with serve() as address:
        yield address


def watching(project: Project, *words: str, **environment: str) -> subprocess.Popen[str]:
    """A monitor that runs every second, with a history."""
    mark = {MARKER: str(project.folder)} | environment
    return project.start("watch", "site", "--every=1s", "--jitter=0", "--history=h.sqlite3", *words, **mark)


def said(process: subprocess.Popen[str], ends: Callable[[str], bool]) -> str:
    """The next line for which it is true."""
    assert process.stdout is not None
    for line in process.stdout:
        if ends(line):
            return line.strip()
    raise AssertionError(f"it ended with {process.wait()}")


def living(project: Project) -> list[int]:
    """The processes of a monitor, whatever became of it."""
    return marked(MARKER, str(project.folder))


def facts(project: Project) -> WatchFacts:
    """What is known of it."""
    return read_watch(project.folder / "reports")


def remembered(project: Project) -> list[str]:
    """The runs in the history, by the order of their names; one that is there twice stands twice."""
    with sqlite3.connect(project.folder / "h.sqlite3") as database:
        return sorted(name for (name,) in database.execute("SELECT run_id FROM runs"))


class Lived:
    """A monitor whose configuration was broken and repaired while it ran, and that was asked to end."""

    def __init__(self, project: Project) -> None:
        self.project = project
        targets = (project.folder / "targets.yaml").read_text()
        process = watching(project, "--json", "--listen=127.0.0.1:0")
        self.address = said(process, lambda line: "http" in line).split()[1]
        self.lines = [self._next(process, "all_required_passed")]
        self.second = project.run("watch", "site")
        project.write("targets.yaml", targets + "  !\n")
        self.lines.append(self._next(process, "config_error"))
        with urlopen(f"{self.address}/watch", timeout=10) as answer:
            self.answered = json.loads(answer.read())
        with urlopen(f"{self.address}/metrics", timeout=10) as answer:
            self.metrics = answer.read().decode()
        with urlopen(f"{self.address}/", timeout=10) as answer:
            self.page = answer.read().decode()
        project.write("targets.yaml", targets)
        os.kill(min(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())), 9)
        self.restarted = said(process, lambda line: "the server had ended" in line)
        self.lines.append(self._next(process, "all_required_passed"))
        self.pid = process.pid
        process.send_signal(signal.SIGTERM)
        self.status = process.wait(30)

    def _next(self, process: subprocess.Popen[str], reason: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(said(process, lambda line: f'"{reason}"' in line))
        return found


@pytest.fixture(scope="module")
def lived(url: str, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """One for all tests that look at it."""
    return Lived(Project(tmp_path_factory.mktemp("lived"), url, conftest=IMPORTED))


def test_broken_configuration(lived: Lived) -> None:
    """A file that is broken while the monitor runs is a run that says so, and no end of the watch."""
    assert [(line["verdict"], line["status"]) for line in lived.lines] == [
        ("pass", 0),
        ("inconclusive", 4),
        ("pass", 0),
    ]
    assert lived.lines[0]["checks"] == lived.lines[0]["passed"] == 1


def test_end(lived: Lived) -> None:
    """SIGTERM ends it with 0; nothing is left but what is known of it, and that it was stopped."""
    assert lived.status == 0
    assert eventually(lambda: not living(lived.project), 2.0)
    known = facts(lived.project)
    assert (known.running, known.due, known.pid) == (None, None, lived.pid)
    assert known.stopped is not None
    assert known.runs >= 3


def test_latest(lived: Lived) -> None:
    """The newest whole run, and the one that did not pass, are kept whole; a gate believes what the folder says."""
    reports = lived.project.folder / "reports"
    latest = (reports / "latest").resolve()
    assert latest.name == getattr(facts(lived.project).last, "id", "")
    assert json.loads((latest / "verdict.json").read_text())["run"]["id"] == latest.name
    assert "1 passed" in (latest / "console.log").read_text()
    assert lived.lines[1]["run"] in [run.id for run in kept_runs(reports) if run.began]
    assert len(kept_runs(reports)) <= 4


def test_answers(lived: Lived) -> None:
    """What is known is answered over HTTP while it runs, and the server ends with it."""
    assert lived.answered["target"] == "site"
    assert lived.answered["last"]["reason"] == "config_error"
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{lived.address}/watch", timeout=5)


def test_metrics_and_status(lived: Lived) -> None:
    """The newest whole run is told as proven, with the ticks of the monitor; the page is that of its history."""
    assert 'postdeploy_proven{target="site"} 1' in lived.metrics
    assert 'postdeploy_verdict{target="site",verdict="inconclusive"} 1' in lived.metrics
    assert f'postdeploy_monitor_runs_total{{target="site"}} {lived.answered["runs"]}' in lived.metrics
    assert 'postdeploy_history_up{target="site"} 1' in lived.metrics
    assert 'postdeploy_alert_open{target="site",kind="outage"} 0' in lived.metrics
    assert "site" in lived.page


def test_server_that_ended(lived: Lived) -> None:
    """A server that ends before the monitor does is started again, at the same address."""
    assert lived.restarted == f"watch: the server had ended; {lived.address}"


def test_one_at_a_time(lived: Lived) -> None:
    """A second monitor of the same folder is refused by the number of the first."""
    status, text = lived.second
    assert (status, f"process {lived.pid} watches from this folder already" in text) == (4, True)


def test_each_run_once(lived: Lived) -> None:
    """Every run that had a configuration is remembered once."""
    runs = remembered(lived.project)
    assert len(set(runs)) == len(runs)
    assert {lived.lines[0]["run"], lived.lines[2]["run"]} <= set(runs)


def test_warm(lived: Lived) -> None:
    """A run that passes imports nothing any more, be it ours or another's: all of it was there before the fork."""
    assert (lived.project.folder / "imported").read_text() == "", "let cli/warm_imports.py name what a run imports late"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("watch", "sight"), "unknown target 'sight': site"),
        (("watch", "site", "--every=10ms"), "--every has to be at least 1 s"),
        (("watch", "site", "--listen=8717"), "--listen takes HOST:PORT"),
        (("watch", "site", "--listen=192.0.2.1:80"), "watch: "),
        (("watch", "site", "--targets=none.yaml"), "none.yaml"),
    ],
    ids=["target", "every", "listen", "address", "file"],
)
def test_a_beginning_that_is_a_mistake(project: Project, words: tuple[str, ...], message: str) -> None:
    """What is wrong from the beginning ends the command with 4 and a reason."""
    status, text = project.run(*words)
    assert (status, message in text) == (4, True), text


def test_a_part_of_a_suite(capsys: pytest.CaptureFixture[str]) -> None:
    """It proves nothing, run after run: what narrows is refused."""
    with pytest.raises(SystemExit, match="2"):
        main(["watch", "site", "--only=health"])
    assert "no option '--only'" in capsys.readouterr().err


@pytest.fixture
def project(tmp_path: Path, url: str) -> Iterator[Project]:
    """A project whose only check passes; no monitor of it outlives the test."""
    project = Project(tmp_path, url)
    yield project
    for pid in living(project):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_asked_to_end_in_a_run(project: Project, number: signal.Signals) -> None:
    """The run under way is sealed as interrupted, is no result of the monitor, and leaves nothing running."""
    project.write("suites/test_hang.py", HANG)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(project.folder / "notify"))
        systemd.settimeout(20)
        process = watching(project, NOTIFY_SOCKET=str(project.folder / "notify"))
        assert eventually((project.folder / "hangs").exists)
        process.send_signal(number)
        assert process.wait(30) == 0
        heard = [systemd.recv(200)]
        while heard[-1] != b"STOPPING=1":
            heard.append(systemd.recv(200))
    assert (heard[0], b"WATCHDOG=1" in heard) == (b"READY=1\nSTATUS=watching site", True)
    assert (project.document()["state"], project.document()["reason"]) == ("sealed", "interrupted")
    assert (facts(project).runs, facts(project).last) == (0, None)
    assert eventually(lambda: not living(project), 10.0)


def cmdline(pid: int) -> bytes:
    """The command of a process, if it is there."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def processes_of(project: Project) -> list[int]:
    """The launcher and the run: forks of the monitor."""
    return [pid for pid in living(project) if b"-m\0postdeploy" in cmdline(pid)]


def kill(processes: Iterable[int]) -> None:
    """All at once: none of them sees another one end."""
    found = list(processes)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in found:
            os.kill(pid, number)


@pytest.mark.parametrize("everything", [False, True], ids=["the monitor", "all of it"])
def test_killed_in_a_run(project: Project, everything: bool) -> None:
    """A monitor that is killed leaves nothing running; the next one has its run in the history, once, and goes on."""
    project.write("suites/test_hang.py", HANG)
    process = watching(project)
    assert eventually((project.folder / "hangs").exists)
    killed = facts(project).running
    kill(processes_of(project) if everything else [process.pid])
    process.wait(10)
    assert everything or eventually(lambda: not living(project), 10.0)
    (project.folder / "suites/test_hang.py").unlink()
    with watching(project) as again:
        said(again, lambda line: "PASS all_required_passed" in line)
        again.send_signal(signal.SIGTERM)
        assert again.wait(30) == 0
    known = facts(project)
    assert killed in remembered(project)
    assert len(remembered(project)) == len(set(remembered(project)))
    assert (known.lost, known.missed >= 1, known.since < known.started) == (1, True, True)


def test_nobody_listens(project: Project) -> None:
    """A monitor goes on when whoever read its lines is gone, and ends with 0 when it is asked to."""
    process = watching(project)
    assert process.stdout is not None
    said(process, lambda line: "PASS all_required_passed" in line)
    process.stdout.close()
    before = facts(project).runs
    assert eventually(lambda: facts(project).runs >= before + 2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_run_that_is_killed(project: Project) -> None:
    """A launcher that dies with its run costs one tick: its evidence is a verdict, and the monitor goes on."""
    project.write("suites/test_hang.py", HANG)
    process = watching(project)
    assert eventually((project.folder / "hangs").exists)
    project.write("suites/test_hang.py", "def test_nothing(web):\n    assert web.get('/').status_code == 200\n")
    kill(pid for pid in processes_of(project) if pid != process.pid)
    assert "INCONCLUSIVE incomplete" in said(process, lambda line: "checks" in line)
    assert "PASS all_required_passed" in said(process, lambda line: "checks" in line)
    assert all(b"sleep" not in cmdline(pid) for pid in living(project))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
