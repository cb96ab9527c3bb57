"""Without --target the plugin does nothing, and costs next to nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.plugin.conftest import Project

LISTED = """
import sys

def test_nothing():
    print("loaded:", sorted(name for name in sys.modules if name.startswith("postdeploy")))
"""


def test_another_run_loads_five_modules(pytester: pytest.Pytester) -> None:
    """Hooks and options, and nothing that is heavy."""
    pytester.makepyfile(LISTED)
    result = pytester.runpytest_subprocess("-s", "-p", "no:playwright")
    plugin = ["postdeploy", "postdeploy.plugin", "postdeploy.plugin.hooks", "postdeploy.plugin.options"]
    expected = [*plugin, "postdeploy.run_options"]
    result.stdout.fnmatch_lines([f"*loaded: {str(expected).replace('[', '[[]')}*"])
    assert not (pytester.path / "reports").exists()


def test_loading_them_takes_milliseconds(pytester: pytest.Pytester) -> None:
    """What every run on the machine pays, beside importing pytest."""
    script = (
        "import pytest, time, dataclasses, pathlib\n"
        "begun = time.process_time()\n"
        "import postdeploy.plugin.hooks, postdeploy.plugin.options\n"
        "print(time.process_time() - begun)\n"
    )
    spent = min(float(pytester.run(sys.executable, "-c", script).stdout.str()) for _ in range(3))
    assert spent < 0.02


def test_a_targets_file_without_a_target_is_hinted_at(project: Project) -> None:
    """Who forgets --target is told that nothing is verified, and gets pytest's own status."""
    project.tests("def test_nothing():\n    pass\n")
    run = project.run(target=None)
    assert run.status == 0
    assert "nothing is verified, name a target of targets.yaml with --target=NAME" in run.out
