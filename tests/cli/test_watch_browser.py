"""The browser that a resident monitor keeps between its runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from postdeploy.browser.find import find_browser
from postdeploy.browser.loan import LENT, Wish, read_loan
from postdeploy.cli import watch_browser
from postdeploy.cli.watch_browser import BrowserKeeper
from tests.cli.processes import eventually
from tests.cli.project import Project, serve
from tests.cli.test_watch import cmdline, living, processes_of, said, watching

PAGE = """
checks:
  - name: page
    page: web:/
    expect: {status: 200}
"""
HANG = """
import time

def test_hang(web):
    open("hangs", "w").close()
    time.sleep(60)
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project whose only check looks at a page; no monitor of it outlives the test."""
    with serve() as url:
        project = Project(tmp_path, url, PAGE)
        yield project
        for pid in living(project):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def kept(monitor: subprocess.Popen[str]) -> int:
    """The browser of a monitor, which is a child of its own."""
    path = Path(f"/proc/{monitor.pid}/task/{monitor.pid}/children")

    def found() -> list[int]:
        return [pid for pid in map(int, path.read_text().split()) if b"chrom" in cmdline(pid)]

    assert eventually(lambda: len(found()) == 1), path.read_text()
    return found()[0]


def passes(monitor: subprocess.Popen[str]) -> None:
    """A run has passed."""
    said(monitor, lambda line: "PASS all_required_passed 1/1" in line)


def profiles(project: Project) -> list[Path]:
    """The folders of browsers."""
    return list(project.folder.glob("postdeploy-browser-*"))


def test_it_stays_until_a_run_is_killed(project: Project) -> None:
    """Runs that give it back go on with it; one that does not has it replaced; none outlives the monitor."""
    monitor = watching(project, TMPDIR=str(project.folder))
    passes(monitor)
    first = kept(monitor)
    for _ in range(2):
        passes(monitor)
        assert kept(monitor) == first
    project.write("suites/test_hang.py", HANG)
    assert eventually((project.folder / "hangs").exists)
    for pid in processes_of(project):
        if pid != monitor.pid:
            os.kill(pid, signal.SIGKILL)
    (project.folder / "suites/test_hang.py").unlink()
    passes(monitor)
    second = kept(monitor)
    assert second != first
    monitor.send_signal(signal.SIGTERM)
    assert monitor.wait(30) == 0
    assert eventually(lambda: not living(project), 10.0)
    assert not profiles(project)


def test_it_ends_with_a_monitor_that_is_killed(project: Project) -> None:
    """By itself; its folder goes with that of the next browser."""
    monitor = watching(project, TMPDIR=str(project.folder))
    passes(monitor)
    kept(monitor)
    monitor.kill()
    monitor.wait(10)
    assert eventually(lambda: not living(project), 10.0)
    assert profiles(project)
    again = watching(project, "--fresh-browser", TMPDIR=str(project.folder))
    passes(again)
    again.send_signal(signal.SIGTERM)
    assert again.wait(30) == 0
    assert not profiles(project)


def test_a_suite_without_pages_keeps_none(project: Project) -> None:
    """Nor does one that has no pages any more."""
    monitor = watching(project)
    passes(monitor)
    kept(monitor)
    project.write("suites/site.yaml", PAGE.replace("page:", "get:"))
    assert eventually(lambda: not any(b"chrom" in cmdline(pid) for pid in living(project)))
    monitor.send_signal(signal.SIGTERM)
    assert monitor.wait(30) == 0


def turn(keeper: BrowserKeeper, wish: Wish, *, clean: bool = True) -> int:
    """One run that wants this browser and gives back what it gets; returns the process that it was lent, or 0."""
    text = keeper.lend()[LENT]
    loan = read_loan(text)
    assert loan is not None
    loan.take(wish)
    loan.give_back(clean=clean)
    keeper.settle()
    pipes = json.loads(text)["pipes"]
    return int(pipes[0]) if pipes else 0


@pytest.mark.parametrize(("limit", "value", "turns"), [("_RUNS", 2, 2), ("_MEMORY", 1, 1)])
def test_it_is_replaced_before_it_grows_old(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int, turns: int
) -> None:
    """After so many runs, or above so much memory."""
    monkeypatch.setattr(watch_browser, limit, value)
    keeper, wish = BrowserKeeper(keeps=True), Wish(str(find_browser(None, os.environ).executable), "tests/1")
    try:
        lent = [turn(keeper, wish) for _ in range(2 * turns + 1)]
    finally:
        keeper.close()
    assert lent[0] == 0
    assert [len(set(lent[1 : 1 + turns])), len(set(lent[1:]))] == [1, 2]


def test_who_wants_another_one_gets_it_the_next_time() -> None:
    """And one in doubt is not lent again."""
    found = str(find_browser(None, os.environ).executable)
    keeper = BrowserKeeper(keeps=True)
    try:
        turn(keeper, Wish(found, "tests/1"))
        first, second = turn(keeper, Wish(found, "tests/2")), turn(keeper, Wish(found, "tests/2"), clean=False)
        third = turn(keeper, Wish(found, "tests/2"))
    finally:
        keeper.close()
    assert len({0, first, second, third}) == 4


def test_a_browser_that_cannot_be_started_is_told_and_no_reason_to_end(capfd: pytest.CaptureFixture[str]) -> None:
    """Runs start their own."""
    keeper = BrowserKeeper(keeps=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/nowhere")
        assert [turn(keeper, Wish("chromium", "tests/1")) for _ in range(2)] == [0, 0]
    assert "/nowhere" in capfd.readouterr().err


def test_who_keeps_none_lends_none() -> None:
    """``--fresh-browser``."""
    keeper = BrowserKeeper(keeps=False)
    assert keeper.lend() == {}
    keeper.settle()
