"""xdist's workers as processes: who was lost, who is watched, who is told to end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from postdeploy.plugin.workers import Workers


class Heard:
    """Stands where the recorder and the watch of orphans stand, and remembers what it is told."""

    def __init__(self) -> None:
        self.incidents: list[tuple[str, str]] = []
        self.watched: list[int] = []

    def incident(self, reason: str, message: str) -> None:
        """What the recorder is told."""
        self.incidents.append((reason, message))

    def watch(self, process: int) -> None:
        """What the watch of orphans is told."""
        self.watched.append(process)


@pytest.fixture
def heard() -> Heard:
    """What was told."""
    return Heard()


@pytest.fixture
def workers(heard: Heard) -> Workers:
    """The workers of a run."""
    told: Any = heard
    return Workers(told, told)


@pytest.fixture
def node() -> Iterator[Callable[[str], Any]]:
    """A worker whose process does what it is told, in a shell."""
    processes = []

    def start(script: str, name: str = "gw0") -> Any:
        process = subprocess.Popen(["sh", "-c", script])
        processes.append(process)
        return SimpleNamespace(gateway=SimpleNamespace(id=name, _io=SimpleNamespace(popen=process)))

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_worker_is_watched_from_its_start(workers: Workers, heard: Heard, node: Callable[[str], Any]) -> None:
    """Should this process be killed, the worker must not outlive it."""
    started = node("exec sleep 60")
    workers.pytest_configure_node(started)
    assert heard.watched == [started.gateway._io.popen.pid]


def test_a_worker_elsewhere_has_no_process_here(workers: Workers, heard: Heard) -> None:
    """One that xdist reaches by other ways is not watched, and still is missed."""
    remote = SimpleNamespace(gateway=SimpleNamespace(id="gw7", _io=object()))
    workers.pytest_configure_node(remote)
    workers.pytest_testnodedown(remote, "connection lost")
    workers.pytest_unconfigure()
    assert (heard.watched, heard.incidents) == ([], [("worker_lost", "worker gw7: connection lost")])


def test_a_lost_worker_is_told_once_with_its_last_line(
    workers: Workers, heard: Heard, node: Callable[[str], Any]
) -> None:
    """The error of xdist is a traceback; its last line says what it was. That its process failed, too, is no news."""
    lost = node("exit 9")
    workers.pytest_configure_node(lost)
    workers.pytest_testnodedown(lost, "Traceback\n  somewhere\nNot properly terminated\n")
    lost.gateway._io.popen.wait()
    workers.pytest_unconfigure()
    assert heard.incidents == [("worker_lost", "worker gw0: Not properly terminated")]


def test_a_worker_lost_without_a_word_is_lost(workers: Workers, heard: Heard, node: Callable[[str], Any]) -> None:
    """An error that says nothing is one."""
    lost = node("exit 1")
    workers.pytest_configure_node(lost)
    workers.pytest_testnodedown(lost, SimpleNamespace(__str__=lambda: " "))
    assert [reason for reason, _ in heard.incidents] == ["worker_lost"]


@pytest.mark.parametrize(("script", "status"), [("exit 9", 9), ("kill -KILL $$", -9)])
def test_a_worker_that_breaks_after_its_last_word_is_lost(
    workers: Workers, heard: Heard, node: Callable[[str], Any], script: str, status: int
) -> None:
    """Xdist does not look at the status of its processes."""
    broken = node(script)
    workers.pytest_configure_node(broken)
    workers.pytest_testnodedown(broken, None)
    broken.gateway._io.popen.wait()
    workers.pytest_unconfigure()
    assert heard.incidents == [
        ("worker_lost", f"worker gw0: its process ended with status {status} after its work was done")
    ]


@pytest.mark.parametrize("script", ["exit 0", "exec sleep 60"])
def test_a_worker_that_ends_well_or_not_yet_is_not_lost(
    workers: Workers, heard: Heard, node: Callable[[str], Any], script: str
) -> None:
    """Nothing is made up."""
    good = node(script)
    workers.pytest_configure_node(good)
    workers.pytest_testnodedown(good, None)
    if script == "exit 0":
        good.gateway._io.popen.wait()
    workers.pytest_unconfigure()
    assert heard.incidents == []


@pytest.mark.parametrize(
    ("word", "reached"), [("SIGTERM", True), ("SIGHUP", True), ("SIGXCPU", True), ("SIGINT", False)]
)
def test_workers_are_told_of_signals_that_do_not_reach_them(
    workers: Workers, node: Callable[[str], Any], word: str, *, reached: bool
) -> None:
    """Ctrl-C reaches the whole group by itself; twice, it would break off how a worker cleans up."""
    told = node(f"exec {sys.executable} -c 'import time; time.sleep(60)'")
    workers.pytest_configure_node(told)
    with pytest.raises(KeyboardInterrupt) as interrupted:
        raise KeyboardInterrupt(word)
    workers.pytest_keyboard_interrupt(interrupted)
    process = told.gateway._io.popen
    if reached:
        assert process.wait(20) in {-signal.SIGINT, 1, 130}
    else:
        assert process.poll() is None
