"""Units of systemd, as ``deploy/`` and the pages have them, read by systemd's own tool."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.docs.blocks import blocks
from tests.pipeline.kubernetes_objects import DEPLOY
from tests.pipeline_tools.conftest import program


def test_units_are_units(tmp_path: Path) -> None:
    """There is nothing to complain about but that the user and the program are not on this machine."""
    texts = {path.name: path.read_text() for path in (DEPLOY / "systemd").iterdir()}
    texts["postdeploy-watch@.service"] = next(
        block.text for block in blocks("ini") if block.page.name == "watch-continuously.md"
    )
    for name, text in texts.items():
        known = text.replace("/srv/checks/.venv/bin/postdeploy", "/bin/true").replace("User=checks", "User=root")
        (tmp_path / name).write_text(known)
    names = [str(tmp_path / name.replace("@", "@production")) for name in texts]
    command = [program("systemd-analyze"), "verify", "--man=no", *names]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
