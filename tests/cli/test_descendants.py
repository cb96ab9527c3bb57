from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, subprocess, sys
from postdeploy.cli.descendants import adopt, end_rest

adopt()
begun, begin = os.pipe()
spared = subprocess.Popen(["sleep", "60"])
if not os.fork():
    subprocess.Popen(["sleep", "61"], start_new_session=True)
    if not os.fork():
        os.setsid()
        subprocess.Popen(["sleep", "62"])
        os.write(begin, b"x")
        os.execvp("sleep", ["sleep", "63"])
    os._exit(0)
os.wait()
os.read(begun, 1)
print(end_rest(spared.pid), spared.poll(), end_rest(spared.pid), end_rest())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands over descendants")
def test_descendants_end() -> None:
    """Whatever a process has started ends, in sessions of its own, and below parents that have ended; one is spared."""
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=True)
    assert said.stdout.split() == ["3", "None", "0", "1"]
