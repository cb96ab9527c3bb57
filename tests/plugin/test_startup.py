from __future__ import annotations

import subprocess
import sys

_LATER = (
    "ssl", "concurrent.futures.thread", "httpx2", "playwright", "postdeploy.browser.recorder",
    "postdeploy.domain.decision",
    "postdeploy.engine.runner", "postdeploy.engine.release", "postdeploy.engine.server", "postdeploy.plugin.attempts",
    "postdeploy.plugin.last_words", "postdeploy.plugin.show_plan", "postdeploy.probes.control",
)  # fmt: skip


def test_what_can_wait_is_not_imported_before_the_first_question() -> None:
    """What a run needs later, or may not need, does not keep it from asking its services."""
    script = f"import sys; import postdeploy.plugin.activation; print(*sys.modules.keys() & {set(_LATER)!r})"
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not asked.stdout.split()
