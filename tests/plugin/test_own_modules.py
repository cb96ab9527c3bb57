from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from postdeploy.plugin.own_modules import own_modules_first

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

LOADERS = """
import sys

def test_loaders(api):
    assert api.get("/ok").status_code == 200
    modules = {name: module for name, module in sys.modules.items() if name.startswith("postdeploy.")}
    rewritten = {name for name, module in modules.items() if "Rewriting" in type(module.__loader__).__name__}
    assert {"postdeploy.plugin.recorder", "postdeploy.engine.runner"} < modules.keys() - rewritten
    assert rewritten == {
        "postdeploy.plugin", "postdeploy.plugin.hooks", "postdeploy.plugin.options", "postdeploy.plugin.own_modules",
        "postdeploy.run_options",
    }
"""


def test_pytest_rewrites_only_what_is_there_before_the_run(project: Project) -> None:
    """It would take on all modules of a plugin that it has found by itself."""
    project.tests(LOADERS)
    project.run("-p", "no:playwright", fast=False).require(0, "all_required_passed")


def test_who_finds_modules_is_as_before_in_the_end() -> None:
    """Also where somebody has taken the finder away meanwhile."""
    before = list(sys.meta_path)
    with own_modules_first():
        assert sys.meta_path[1:] == before
    assert sys.meta_path == before
    with own_modules_first():
        del sys.meta_path[0]
    assert sys.meta_path == before
