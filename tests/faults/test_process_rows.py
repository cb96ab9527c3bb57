"""F27 to F37: workers that die, reports that cannot be sent, tests that hang, signals, and cancelled pipelines."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.expected import hold, promote, rollback, unsealed
from tests.faults.project import Project
from tests.faults.server import Answer, FaultServer

START = 20.0
"""Seconds for starting and ending pytest on a busy machine."""

SEALED = 2.0
"""Seconds from a signal to a sealed verdict on a busy machine; what it takes is milliseconds."""

SPREAD = pytest.mark.parametrize("workers", [2], indirect=True, ids=["n2"])

DEATHS = {
    "os._exit": "os._exit(9)",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "SIGSEGV": "os.kill(os.getpid(), signal.SIGSEGV)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
}

PHASES = {
    "configure": "def pytest_configure():\n    die()\n",
    "sessionstart": "def pytest_sessionstart():\n    die()\n",
    "collection": "def pytest_collection():\n    die()\n",
    "setup": "def pytest_runtest_setup(item):\n    die()\n",
    "call": "def pytest_runtest_call(item):\n    die()\n",
    "teardown": "def pytest_runtest_teardown(item):\n    die()\n",
}


def dying(how: str, hook: str, which: str = "== 'gw1'") -> str:
    """A conftest with which some workers die in a hook."""
    return f"""\
import os
import signal


def die():
    if os.environ.get("PYTEST_XDIST_WORKER", "none") {which}:
        {DEATHS[how]}


{hook}"""


@SPREAD
@pytest.mark.row("F27", "a worker dies in a test")
@pytest.mark.parametrize("how", DEATHS)
def test_a_worker_dies_in_a_test(project: Project, how: str) -> None:
    """Whatever kills it, the verdict names the worker, and the test that it was running is not believed."""
    project.healthy()
    project.write("conftest.py", dying(how, PHASES["call"]))
    run = project.run()
    run.require(hold("worker_lost"))
    assert "gw1" in run.document["summary"]
    assert "errored" in run.outcomes().values()


@SPREAD
@pytest.mark.row("F27", "a worker dies in another phase")
@pytest.mark.parametrize(
    ("phase", "how"),
    [
        ("configure", "os._exit"),
        ("sessionstart", "SIGKILL"),
        ("collection", "SIGSEGV"),
        ("setup", "SIGTERM"),
        ("teardown", "SIGKILL"),
    ],
)
def test_a_worker_dies_in_a_phase(project: Project, phase: str, how: str) -> None:
    """A worker that was replaced is a lost one, too."""
    project.healthy()
    project.write("conftest.py", dying(how, PHASES[phase]))
    run = project.run()
    run.require(hold("worker_lost"))
    assert "gw1" in run.document["summary"]


@SPREAD
@pytest.mark.row("F27", "every worker dies as soon as it starts")
@pytest.mark.parametrize("phase", ["configure", "sessionstart"])
def test_every_worker_dies(project: Project, phase: str) -> None:
    """Nothing was verified."""
    project.healthy()
    project.write("conftest.py", dying("os._exit", PHASES[phase], "!= 'none'"))
    run = project.run("--max-worker-restart=1")
    run.require(hold("worker_lost"))
    assert set(run.outcomes().values()) <= {"not_run"}


@SPREAD
@pytest.mark.row("F27", "a worker dies, and none is started in its place")
def test_a_worker_is_not_replaced(project: Project) -> None:
    """What nobody ran is not run."""
    project.healthy()
    project.write("conftest.py", dying("SIGKILL", PHASES["call"], "!= 'none'"))
    run = project.run("--max-worker-restart=0")
    run.require(hold("worker_lost"))
    assert "passed" not in run.outcomes().values()


@SPREAD
@pytest.mark.row("F27", "a worker dies after a failure was confirmed")
def test_a_failure_outlives_the_worker(project: Project) -> None:
    """One confirmed failure is enough, whatever happens to the workers."""
    project.suite("- {name: declared, get: 'api:/bad', expect: {status: 200}}")
    project.tests("""
        import os
        import time

        def test_dies(api):
            api.get("/ok")
            time.sleep(0.5)
            os._exit(9)
    """)
    project.run().require(rollback())


@pytest.mark.row("F28", "record_property with an enum, a path, a date")
def test_a_report_cannot_be_serialised(project: Project) -> None:
    """The true outcome arrives, the values as text."""
    project.tests("""
        import datetime
        import enum
        import http
        import pathlib

        class Mood(enum.Enum):
            GOOD = 1

        def test_it(api, record_property):
            record_property("status", http.HTTPStatus.OK)
            record_property("path", pathlib.Path("/some/where"))
            record_property("when", datetime.date(2026, 1, 2))
            record_property("mood", Mood.GOOD)
            record_property(Mood.GOOD, {1: object(), "set": {1}})
            assert api.get("/wrong").json()["ok"]
    """)
    run = project.run("--junitxml=junit.xml")
    run.require(rollback())
    junit = (project.folder / "junit.xml").read_text(encoding="utf-8")
    assert all(text in junit for text in ("/some/where", "2026-01-02", "Mood.GOOD"))


@pytest.mark.row("F28", "a report that passes cannot be serialised")
def test_a_passing_report_cannot_be_serialised(project: Project) -> None:
    """A property is no reason to hold."""
    project.tests("""
        import http

        def test_it(api, record_property):
            record_property("status", http.HTTPStatus.OK)
            assert api.get("/ok").status_code == 200
    """)
    project.run().require(promote())


SURROGATE = """
import json

@pytest.mark.parametrize("number", range({passes}))
def test_a_passes(api, number):
    assert api.get("/ok").status_code == 200

def test_b_fails(api):
    assert json.loads(api.get("/surrogate").text)["ok"] == "right"
"""


@SPREAD
@pytest.mark.row("F29", "a failing assert holds a lone surrogate, in every mode of xdist")
@pytest.mark.parametrize(
    ("mode", "passes"),
    [("load", 0), ("load", 50), ("worksteal", 3), ("loadscope", 3), ("loadfile", 0), ("loadgroup", 3)],
)
def test_a_lone_surrogate(project: Project, mode: str, passes: int) -> None:
    """The failing test arrives, and its text is escaped."""
    project.tests(SURROGATE.format(passes=passes))
    run = project.run(f"--dist={mode}")
    run.require(rollback())
    failed = next(check for check in run.document["checks"] if check["name"] == "test_b_fails")
    assert "\\udcff" in str(failed["attempts"][-1]["findings"])


@pytest.mark.parametrize("workers", [0], indirect=True, ids=["n0"])
@pytest.mark.row("F29", "a failing assert holds a lone surrogate")
def test_a_lone_surrogate_alone(project: Project) -> None:
    """Nor does it break a run without workers, or its JUnit report."""
    project.tests(SURROGATE.format(passes=1))
    project.run("--junitxml=junit.xml").require(rollback())


@SPREAD
@pytest.mark.row("F30", "ImportError in the conftest of gw1")
@pytest.mark.parametrize("more", [("--max-worker-restart=0", 0.0), ("--max-worker-restart=0", 0.4), ("-q", 0.0)])
def test_one_conftest_fails(project: Project, more: tuple[str, float]) -> None:
    """A worker that did not come to work is a lost one; what the others did is kept."""
    project.healthy()
    project.write(
        "conftest.py",
        f"""\
import os
import time

if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
    time.sleep({more[1]})
    import nowhere
""",
    )
    run = project.run(more[0])
    run.require(hold(("worker_lost", "internal_error"), (10, 3)))


@SPREAD
@pytest.mark.row("F31", "os._exit(9) in a worker's sessionfinish")
@pytest.mark.parametrize("hook", ["pytest_sessionfinish", "pytest_unconfigure"])
def test_a_worker_dies_at_its_end(project: Project, hook: str) -> None:
    """A worker whose fixtures may not have cleaned up is a lost one."""
    project.healthy()
    project.write("conftest.py", dying("os._exit", f"def {hook}():\n    die()\n"))
    run = project.run("--max-worker-restart=0")
    run.require(hold("worker_lost"))
    assert "gw1" in run.document["summary"]


@SPREAD
@pytest.mark.row("F32", "parametrised by the process")
def test_workers_collect_different_checks(project: Project) -> None:
    """Nobody knows what the suite is."""
    project.tests("""
        import os

        @pytest.mark.parametrize("pid", [os.getpid()])
        def test_it(api, pid):
            assert api.get("/ok").status_code == 200
    """)
    run = project.run()
    run.require(hold(("internal_error", "worker_lost"), (3, 10)))
    assert "different" in run.document["summary"]


HANG = """
import os
import time

def test_a_hangs(api):
    api.get("/ok/hangs")
    {hang}
"""


@pytest.mark.row("F33", "a test sleeps for 1000 s")
def test_a_test_hangs(project: Project) -> None:
    """It ends with the deadline, and is not run to the end."""
    project.tests(HANG.format(hang="time.sleep(1000)"))
    begun = time.monotonic()
    project.run("--deadline=3s").require(hold("deadline_exceeded"))
    assert time.monotonic() - begun < 3 + 5 + START


@pytest.mark.row("F33", "a test hangs and swallows every exception")
def test_a_test_that_will_not_end(project: Project, server: FaultServer) -> None:
    """The run ends without it, by the deadline and five seconds."""
    stubborn = """
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass
    """
    project.tests(HANG.format(hang=stubborn.strip()))
    begun = time.monotonic()
    run = project.run("--deadline=4s")
    run.require(hold("deadline_exceeded"))
    assert time.monotonic() - begun < 4 + 5 + START
    assert "ended by force" in run.out or not server.asked("/ok/hangs"), "it started, and ended by itself"


@pytest.mark.row("F33", "a test hangs while a failure is confirmed")
def test_a_hang_hides_no_failure(project: Project) -> None:
    """What was confirmed counts, also if no item has reported it."""
    project.suite("- {name: declared, get: 'api:/bad', expect: {status: 200}}")
    project.tests(HANG.format(hang="time.sleep(1000)"))
    project.run("--deadline=3s").require(rollback())


@pytest.mark.row("F33", "a test blocks the whole interpreter, under the launcher")
def test_an_interpreter_hangs(project: Project) -> None:
    """Nothing in the process can end it, so the launcher does."""
    hang = "import ctypes; lock = ctypes.PyDLL(None).pthread_mutex_lock; mutex = bytes(64); lock(mutex); lock(mutex)"
    project.tests(HANG.format(hang=hang))
    begun = time.monotonic()
    run = project.launch("--wall-clock=3s")
    run.require(hold("deadline_exceeded"))
    assert time.monotonic() - begun < 3 + 6 + START


@pytest.mark.row("F34", "except BaseException around a hang")
def test_a_timeout_is_swallowed(project: Project) -> None:
    """The clock decides whether a test took too long."""
    project.tests("""
        import time

        @pytest.mark.timeout(0.5)
        def test_it(api):
            assert api.get("/ok").status_code == 200
            try:
                time.sleep(20)
            except BaseException:
                pass
    """)
    run = project.run()
    run.require(hold("required_check_not_proven"))
    assert run.outcomes() == {"test_it": "errored"}
    assert "swallowed" in run.document["summary"]


SLEEPS = """
import time

def test_slow(api):
    api.get("/ok/slow")
    time.sleep(30)
"""


@dataclass
class Started:
    """A run that is in the middle of its tests."""

    process: subprocess.Popen[str]
    project: Project

    def until_sealed(self) -> float:
        """Seconds until the verdict was sealed."""
        begun = time.monotonic()
        until(lambda: self.verdict().get("state") == "sealed")
        return time.monotonic() - begun

    def verdict(self) -> dict[str, Any]:
        """What the file says now."""
        try:
            document: dict[str, Any] = json.loads((self.project.reports / "verdict.json").read_bytes())
        except OSError:
            return {}
        return document


def until(condition: Callable[[], object], patience: float = 20.0) -> None:
    """Wait until something is true."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def in_flight(project: Project, server: FaultServer, command: list[str], **more: Any) -> Started:
    """Start a run whose Python test sleeps."""
    project.suite()
    project.tests(SLEEPS)
    process = project.start(command, **more)
    until(lambda: server.asked("/ok/slow") or process.poll() is not None)
    time.sleep(0.1)
    return Started(process, project)


@pytest.mark.row("F35", "a signal to the controller")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal(project: Project, server: FaultServer, number: str) -> None:
    """It is sealed in the handler, before tests and workers have ended."""
    run = in_flight(project, server, project.pytest())
    run.process.send_signal(signal.Signals[number])
    assert run.until_sealed() < SEALED
    ended = project.ended(run.process)
    ended.require(hold("interrupted", 2))
    assert number in ended.document["summary"]


@pytest.mark.row("F35", "a signal to the whole group")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_the_group(project: Project, server: FaultServer, number: str) -> None:
    """Workers die of it as well, which is not taken for the cause."""
    run = in_flight(project, server, project.pytest(), start_new_session=True)
    os.killpg(run.process.pid, signal.Signals[number])
    assert run.until_sealed() < SEALED
    project.ended(run.process).require(hold("interrupted", 2))


@pytest.mark.row("F35", "a signal to the launcher")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_the_launcher(project: Project, server: FaultServer, number: str) -> None:
    """It passes it on."""
    run = in_flight(project, server, project.verify())
    run.process.send_signal(signal.Signals[number])
    assert run.until_sealed() < SEALED
    project.ended(run.process).require(hold("interrupted", 2))


@pytest.mark.row("F35", "SIGTERM after a failure was confirmed")
def test_a_signal_hides_no_failure(project: Project, server: FaultServer) -> None:
    """One confirmed failure is enough."""
    project.tests(SLEEPS)
    project.suite("- {name: declared, get: 'api:/bad', expect: {status: 200}}")
    process = project.start(project.pytest())
    until(lambda: server.asked("/ok/slow") and b'"failed"' in (project.reports / "evidence.jsonl").read_bytes())
    process.send_signal(signal.SIGTERM)
    project.ended(process).require(rollback())


HTML = {"content-type": "text/html"}

SERVED = """
server: {{command: [python, -m, http.server, "{port}", --bind, 127.0.0.1], ready: "web:/", within: 10s}}
"""


def below(root: int) -> set[tuple[int, str]]:
    """A process and all that descend from it: their ids, and when they started, as an id may be used again."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                words = (folder / "stat").read_text().rpartition(")")[2].split()
                found[int(folder.name)] = (int(words[1]), words[19])
    family, size = {root}, 0
    while len(family) > size:
        size = len(family)
        family |= {process for process, (parent, _) in found.items() if parent in family}
    return {(process, found[process][1]) for process in family if process in found}


def living(family: set[tuple[int, str]]) -> list[str]:
    """Those of them that are still there, by their command lines."""
    found = []
    for process, started in family:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            if words[19] == started and words[0] not in "ZX":
                found.append(Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def served(project: Project) -> None:
    """A target with a server of its own."""
    port = free_port()
    project.target(SERVED.format(port=port), services=f", web: 'http://127.0.0.1:{port}'")


@pytest.mark.usefixtures("served")
@pytest.mark.row("F36", "SIGKILL to the controller")
def test_the_controller_is_killed(project: Project, server: FaultServer) -> None:
    """It only started; workers, server and the rest are gone ten seconds later."""
    run = in_flight(project, server, project.pytest())
    family = below(run.process.pid)
    assert len(family) >= 2 + project.workers
    run.process.kill()
    run.process.wait(10)
    until(lambda: not living(family), 10)
    project.ended(run.process).require(unsealed(-9))


@pytest.mark.row("F36", "SIGKILL to the controller while a browser is open")
def test_a_browser_is_left(project: Project, server: FaultServer) -> None:
    """Browsers and their drivers are gone as well, whatever their pages do."""
    server.on("/page", Answer(body=b"<script>setTimeout(() => { for (;;) {} }, 300)</script>", headers=HTML))
    project.tests("""
        import time

        def test_page(page):
            page.goto("/page")
            time.sleep(0.5)
            page.request.get("/ok/slow")
            page.evaluate("1")
    """)
    project.suite("- {name: declared, page: 'api:/page', expect: {visible: ['text=never']}, timeout: 20s}")
    process = project.start(project.pytest())
    until(lambda: server.asked("/ok/slow") and server.asked("/page") > 1)
    family = below(process.pid)
    assert any("--headless" in line for line in living(family))
    process.kill()
    process.wait(10)
    until(lambda: not living(family), 10)
    project.ended(process).require(unsealed(-9))


@pytest.mark.usefixtures("served")
@pytest.mark.row("F36", "SIGKILL to the controller, under the launcher")
def test_the_child_is_killed(project: Project, server: FaultServer) -> None:
    """The launcher makes the verdict of what the run had written down, and ends what it has left."""
    run = in_flight(project, server, project.verify())
    family = below(run.process.pid)
    os.kill(run.verdict()["run"]["pid"], signal.SIGKILL)
    project.ended(run.process).require(hold("incomplete"))
    until(lambda: not living(family), 10)


@pytest.mark.row("F36", "SIGKILL to the controller after a failure was confirmed, under the launcher")
def test_the_child_is_killed_after_a_failure(project: Project, server: FaultServer) -> None:
    """The failure is still one."""
    project.tests(SLEEPS)
    project.suite("- {name: declared, get: 'api:/bad', expect: {status: 200}}")
    process = project.start(project.verify())
    until(lambda: server.asked("/ok/slow") and b'"failed"' in (project.reports / "evidence.jsonl").read_bytes())
    os.kill(json.loads((project.reports / "verdict.json").read_bytes())["run"]["pid"], signal.SIGKILL)
    project.ended(process).require(rollback())


@pytest.mark.usefixtures("served")
@pytest.mark.row("F36", "SIGKILL to the launcher")
def test_the_launcher_is_killed(project: Project, server: FaultServer) -> None:
    """The run notices, seals that it was interrupted, and ends with all that it has started."""
    run = in_flight(project, server, project.verify())
    family = below(run.process.pid)
    run.process.kill()
    run.process.wait(10)
    run.until_sealed()
    until(lambda: not living(family), 10)
    project.ended(run.process).require(hold("interrupted", -9))


@pytest.mark.usefixtures("served")
@pytest.mark.row("F37", "a step without exec is cancelled: SIGINT and SIGTERM to bash, then the tree is killed")
def test_a_cancelled_step(project: Project, server: FaultServer) -> None:
    """Bash passes nothing on: the run is killed, and only started."""
    script = project.write("step.sh", f"{shlex.join(project.pytest())}\necho after\n")
    run = in_flight(project, server, ["bash", "-e", str(script)], start_new_session=True)
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    run.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert run.verdict()["state"] == "started"
    family = below(run.process.pid)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait(10)
    until(lambda: not living(family), 10)
    project.ended(run.process).require(unsealed((-9, -15)))


@pytest.mark.row("F37", "a step with exec is cancelled")
def test_a_cancelled_step_with_exec(project: Project, server: FaultServer) -> None:
    """SIGINT arrives, and the verdict is sealed at once."""
    script = project.write("step.sh", f"exec {shlex.join(project.pytest())}\n")
    run = in_flight(project, server, ["bash", "-e", str(script)], start_new_session=True)
    run.process.send_signal(signal.SIGINT)
    assert run.until_sealed() < SEALED
    project.ended(run.process).require(hold("interrupted", 2))
