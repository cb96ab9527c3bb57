from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import atexit, gc
from postdeploy.plugin.garbage import without_garbage_collection

atexit.register(lambda: print("at the end", gc.get_freeze_count() > 0))
with without_garbage_collection():
    print("within", gc.isenabled(), gc.get_threshold()[0] > 700)
    gc.freeze()
print("afterwards", gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count())
gc.set_threshold(0)
with without_garbage_collection():
    print("never", gc.get_threshold()[0])
"""


def test_the_process_is_left_as_it_was_found_until_its_end() -> None:
    """Nothing is collected within; afterwards all is as before, and the end has nothing to look through."""
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [
        "within False True",
        "afterwards True 700 0",
        "never 0",
        "at the end True",
    ]
