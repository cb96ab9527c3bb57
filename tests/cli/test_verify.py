from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from postdeploy.cli.pytest_command import pytest_command
from postdeploy.journal import write_document
from tests.cli.processes import eventually, marked
from tests.cli.project import PASSING, Project, serve

FAILING = PASSING.replace("web:/", "web:/missing")

HEADER = """
def pytest_report_header(config):
    loaded = {name for name, _ in config.pluginmanager.list_name_plugin()}
    return f"xdist {bool(loaded & {'xdist', 'xdist.plugin'})} timeout {bool(loaded & {'timeout', 'pytest_timeout'})}"
"""

OPTIONS = ("release", "deadline", "targets", "baseline", "browser_executable")

MARKER = "POSTDEPLOY_TEST_GRANDCHILD"

HANG = f"""
import os, subprocess, sys, time

def test_hang(web):
    child = [sys.executable, "-c", "import time; time.sleep(60)"]
    env = {{**os.environ, "{MARKER}": os.environ["{MARKER}"]}}
    subprocess.Popen(child, env=env)
    subprocess.Popen(child, env=env, start_new_session=True)
    open("hangs", "w").close()
    time.sleep(60)
"""


HIDE = """
import os, time

def test_before_it_hangs():
    if not os.fork():
        os.setsid()
        time.sleep(60)
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A site that is up."""
    with serve() as address:
        yield address


@pytest.fixture
def project(tmp_path: Path, url: str) -> Project:
    """A project whose only check passes."""
    return Project(tmp_path, url)


def test_pass(project: Project) -> None:
    """A pass promotes, and the launcher's run id and options arrive."""
    status, said = project.run(
        "verify", "site", "--release=r1", "--run-id=mine", "--deadline=19s", "--reports=out", "--", "-v"
    )
    document = json.loads((project.folder / "out/verdict.json").read_text())
    assert status == 0, said
    assert document["run"]["id"] == "mine"
    assert {"--release=r1", "--deadline=19s", "-v"} <= set(document["run"]["argv"])
    assert "PASSED" in said
    gate = ("gate", "--target=site", "--release=r1", "--run-id=mine", "--verdict=out/verdict.json")
    assert project.run(*gate)[0] == 0
    assert project.run("gate", "--target=site", "--release=r2", "--verdict=out/verdict.json")[0] == 30


def test_fail_cannot_be_talked_away(tmp_path: Path, url: str) -> None:
    """A conftest that zeroes pytest's exit status, or leaves without a word, does not turn a failure into a pass."""
    zeroed = "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
    leaving = "import os\n\ndef pytest_unconfigure(config):\n    os._exit(0)\n"
    projects = [Project(tmp_path / name, url, FAILING, conftest=text) for name, text in (("a", zeroed), ("b", leaving))]
    first, second = (project.start("verify", "site") for project in projects)
    assert "FAIL" in first.communicate(timeout=40)[0]
    second.communicate(timeout=40)
    assert (first.returncode, second.returncode in {10, 20}) == (20, True)


def test_leaving_early_is_no_pass(tmp_path: Path, url: str) -> None:
    """A process that ends with status 0 before it has decided holds."""
    project = Project(tmp_path, url, conftest="import os\nos._exit(0)\n")
    status, said = project.run("verify", "site")
    assert status == 10
    assert "ended with status 0 and without a sealed verdict: hold" in said
    assert project.document()["state"] == "started"


def test_late_trouble_is_no_pass(tmp_path: Path, url: str) -> None:
    """A process that ends badly after it has sealed a pass holds."""
    project = Project(tmp_path, url, conftest="import atexit, os\natexit.register(os._exit, 7)\n")
    status, said = project.run("verify", "site")
    assert (status, project.document()["verdict"]) == (10, "inconclusive")
    assert "the process of the run ended with status 7 after it sealed its verdict" in said
    assert project.run("gate", "--target=site")[0] == 10


def test_pass_of_yesterday(tmp_path: Path, url: str) -> None:
    """An older pass is overwritten before anything can go wrong."""
    project = Project(tmp_path, url, conftest="import os\nos._exit(0)\n")
    old = {"schema": "postdeploy/verdict/1", "state": "sealed", "verdict": "pass", "reason": "all_required_passed"}
    write_document(project.verdict, old | {"action": "promote", "run": {"id": "old"}, "target": {"name": "site"}})
    assert project.run("verify", "site")[0] == 10
    assert (project.document()["state"], project.document()["verdict"]) == ("started", "inconclusive")


def test_foreign_verdict(tmp_path: Path, url: str) -> None:
    """A verdict of another run that stands in the file at the end is not ours."""
    forged = (
        "import json, os, pathlib; "
        "path = pathlib.Path('reports/verdict.json'); "
        "said = json.loads(path.read_text()); "
        "said |= {'state': 'sealed', 'verdict': 'pass', 'reason': 'all_required_passed', 'action': 'promote'}; "
        "said['run']['id'] = 'another'; "
        "path.write_text(json.dumps(said)); "
        "os.kill(os.getpid(), 9)\n"
    )
    project = Project(tmp_path, url)
    project.write("suites/test_forge.py", f"def test_forge():\n    {forged}")
    status, said = project.run("verify", "site", "--run-id=ours")
    document = project.document()
    assert (status, document["run"]["id"], document["verdict"]) == (10, "ours", "inconclusive"), said


def test_killed(tmp_path: Path, url: str) -> None:
    """A run that is killed holds, the launcher seals how it ended and remembers it, and nothing is left behind."""
    project = Project(tmp_path, url)
    project.write("suites/test_hang.py", HANG)
    mark = os.urandom(8).hex()
    process = project.start("verify", "site", "--history=h.db", **{MARKER: mark})
    assert eventually((project.folder / "hangs").exists)
    os.kill(int(project.document()["run"]["pid"]), signal.SIGKILL)
    said, _ = process.communicate(timeout=20)
    document = project.document()
    remembered = sqlite3.connect(project.folder / "h.db").execute("SELECT run_id, reason FROM runs").fetchall()
    assert remembered == [(document["run"]["id"], "incomplete")]
    assert (process.returncode, document["state"], document["reason"]) == (10, "sealed", "incomplete"), said
    assert "the process of the run ended by SIGKILL before it sealed its verdict" in said
    assert project.run("gate", "--target=site")[0] == 10
    assert eventually(lambda: not marked(MARKER, mark))


def test_a_monitor_that_is_killed(tmp_path: Path, url: str) -> None:
    """A scheduled run that is killed is counted by its launcher: nobody could tell, and that is an alert of its own."""
    project = Project(tmp_path, url)
    hang = "open('hangs', 'w').close(), __import__('time').sleep(60)"
    project.write("suites/test_hang.py", f"def test_hang(web):\n    {hang}\n")
    project.write("targets.yaml", (project.folder / "targets.yaml").read_text() + "    alerts: {blind: 1}\n")
    process = project.start("verify", "site", "--monitor")
    assert eventually((project.folder / "hangs").exists)
    os.kill(int(project.document()["run"]["pid"]), signal.SIGKILL)
    said, _ = process.communicate(timeout=20)
    found = json.loads((project.folder / "reports" / "monitor.json").read_text())
    assert (process.returncode, found["run"]["id"]) == (10, project.document()["run"]["id"]), said
    assert ([each["kind"] for each in found["alerts"]], found["state"]) == (["blind"], "history"), said
    assert project.run("gate", "--target=site")[0] == 30


def test_failure_before_death(tmp_path: Path, url: str) -> None:
    """A failure that was confirmed before the run was killed is one, also if no item has reported it yet."""
    project = Project(tmp_path, url, FAILING)
    project.write("suites/test_hang.py", HANG)
    process = project.start("verify", "site", **{MARKER: os.urandom(8).hex()})
    assert eventually((project.folder / "hangs").exists)
    assert eventually(lambda: b'"failed"' in (project.verdict.parent / "evidence.jsonl").read_bytes())
    os.kill(int(project.document()["run"]["pid"]), signal.SIGKILL)
    said, _ = process.communicate(timeout=20)
    document = project.document()
    assert (process.returncode, document["verdict"], document["reason"]) == (20, "fail", "confirmed_failure"), said
    assert project.run("gate", "--target=site")[0] == 20


def test_wall_clock(tmp_path: Path, url: str) -> None:
    """A run that outlives its wall clock is ended, with everything that it has started, wherever that hides."""
    project = Project(tmp_path, url)
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    project.write("suites/test_hang.py", stubborn + HANG)
    project.write("suites/test_before.py", HIDE)
    project.write("conftest.py", stubborn)
    mark = os.urandom(8).hex()
    begun = time.monotonic()
    process = project.start("verify", "site", "--wall-clock=4s", **{MARKER: mark})
    assert eventually((project.folder / "hangs").exists)
    assert len(marked(MARKER, mark)) >= 5
    said, _ = process.communicate(timeout=30)
    assert (process.returncode, time.monotonic() - begun < 20) == (10, True)
    assert "the run did not end in time and is ended by force" in said
    assert project.document()["verdict"] == "inconclusive"
    assert eventually(lambda: not marked(MARKER, mark))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals(tmp_path: Path, url: str, number: signal.Signals) -> None:
    """A signal to the launcher reaches the run, which seals that it was interrupted."""
    project = Project(tmp_path, url)
    project.write("suites/test_hang.py", HANG)
    process = project.start("verify", "site", **{MARKER: "signals"})
    assert eventually((project.folder / "hangs").exists)
    process.send_signal(number)
    said, _ = process.communicate(timeout=25)
    document = project.document()
    assert (document["state"], document["reason"], document["action"]) == ("sealed", "interrupted", "hold"), said
    assert process.returncode == 2
    for left in marked(MARKER, "signals"):
        os.kill(left, signal.SIGKILL)


@pytest.mark.parametrize("way", ["file", "link"])
def test_unwritable_reports(project: Project, way: str) -> None:
    """If the verdict cannot be written nothing is started, and the reason is told."""
    if way == "file":
        project.write("reports", "")
    else:
        project.verdict.parent.mkdir()
        project.verdict.symlink_to(project.folder / "elsewhere")
    status, said = project.run("verify", "site")
    assert status == 10
    assert said.startswith("postdeploy: ")
    assert len(said.splitlines()) == 1
    assert str(project.verdict) in said


def test_unknown_target(project: Project) -> None:
    """A target that is not there is a configuration error, with pytest's status."""
    status, said = project.run("verify", "sight")
    assert status == 4, said
    assert project.document()["reason"] == "config_error"


def test_plugins(project: Project) -> None:
    """Only the plugins that are needed are loaded, and all of them if asked for."""
    project.write("conftest.py", HEADER)
    lean, full = project.start("verify", "site", "--reports=a"), project.start("verify", "site", "--all-plugins")
    assert "xdist False timeout True" in lean.communicate(timeout=40)[0]
    assert "xdist True timeout True" in full.communicate(timeout=40)[0]


@pytest.mark.parametrize("module", [("-m", "postdeploy"), (str(Path(sys.executable).with_name("postdeploy")),)])
def test_imports_from_where_it_stands(project: Project, module: tuple[str, ...]) -> None:
    """Modules beside the suites can be imported, as with ``python -m pytest``, however the launcher was started."""
    project.write("beside.py", "")
    project.write("suites/test_beside.py", "import beside\n\ndef test_beside(web):\n    web.get('/')\n")
    command = (sys.executable, *module, "verify", "site")
    ended = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False, timeout=40)
    assert ended.returncode == 0, ended.stdout


def test_ends_as_a_program_does(project: Project) -> None:
    """What a test has registered for the end of its process happens, and what it printed is there."""
    project.write("conftest.py", "import atexit\n\natexit.register(print, 'good bye')\n")
    assert project.run("verify", "site")[1].splitlines()[-1] == "good bye"


def test_plugins_of_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Options that stand in the environment or in a file bring their plugin, too; what else stands there does not."""
    given = Namespace(target="site", all_plugins=False, pytest=[], **dict.fromkeys(OPTIONS))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    settings = tmp_path / "pyproject.toml"
    settings.write_text("[tool.pytest]\naddopts = ['-ra']\nmarkers = ['-n']\n")
    assert "xdist.plugin" not in pytest_command(given)
    settings.write_text('[tool.pytest]\naddopts = [\n"-ra",\n"--dist=load", "-n", "2"]\n')
    assert pytest_command(given).count("xdist.plugin") == 1
    settings.write_text("")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-q '-n' 2")
    assert pytest_command(given).count("xdist.plugin") == 1


@pytest.mark.parametrize(
    ("words", "plugin", "loaded"),
    [
        (["-n2"], "xdist.plugin", True),
        (["--dist=loadfile"], "xdist.plugin", True),
        (["--alluredir", "out"], "allure_pytest.plugin", True),
        (["-v", "suites/api.yaml"], "xdist.plugin", False),
    ],
)
def test_plugins_on_demand(words: list[str], plugin: str, loaded: bool) -> None:
    """A plugin comes with its options."""
    given = Namespace(target="site", all_plugins=False, pytest=words, **dict.fromkeys(OPTIONS))
    command = pytest_command(given, "--run-id=r")
    assert (plugin in command) is loaded
    assert command[-len(words) - 1 :] == ["--run-id=r", *words]
