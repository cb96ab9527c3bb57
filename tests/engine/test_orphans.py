"""What a process has started ends with it, also where it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from postdeploy.engine.orphans import OrphanWatch

PARENT = """
import subprocess, sys
from postdeploy.engine.orphans import OrphanWatch

child = subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"],
                         stdout=subprocess.PIPE, start_new_session={group})
child.stdout.readline()
watch = OrphanWatch()
watch.watch(child.pid, group={group})
print(child.pid, flush=True)
sys.stdin.read()
"""


def alive(process: int) -> bool:
    """Whether a process is there, and not only its remains."""
    try:
        with open(f"/proc/{process}/stat") as stat:  # noqa: PTH123  # a path would say no more
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("group", [False, True])
def test_orphans_end(*, group: bool) -> None:
    """A process or a group whose parent was killed is interrupted or ended."""
    command = [sys.executable, "-c", PARENT.format(group=group)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    end = time.monotonic() + 10
    while alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(child)


@pytest.mark.parametrize("word", ["kill", "close"])
def test_end_of_the_watch(word: str) -> None:
    """After an orderly end nobody is touched; what is to be killed is killed at once."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        watch = OrphanWatch()
        watch.watch(child.pid)
        getattr(watch, word)()
        if word == "close":
            assert child.poll() is None
            child.kill()
        assert child.wait(10) in {-signal.SIGINT, -signal.SIGKILL}


def test_nothing_to_watch() -> None:
    """A watch that never watched has nothing to end."""
    watch = OrphanWatch()
    watch.close()
    watch.kill()
