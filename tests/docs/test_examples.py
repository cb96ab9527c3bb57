"""The examples are right: YAML is what the real loader takes, and what may run runs against the demo and passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.config import problems
from tests.docs.blocks import ROOT, Block, blocks, suite_of
from tests.docs.conftest import SharedRun

YAML = blocks("yaml")
PYTHON = blocks("python")
_FOREIGN = {"alert-with-prometheus", "github-actions", "argo-rollouts", "flagger", "helm"}
"""Pages whose YAML is for other tools; tests/pipeline holds it to what those take."""
_STEP = "checks:\n  - name: an example\n    get: web:/\n    expect: {status: 200}\n    "


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_is_taken_by_the_loader(block: Block, tmp_path: Path) -> None:
    """A block is a valid targets file, suite or part of one; a workflow is at least a mapping with jobs."""
    path = tmp_path / "block.yaml"
    suite = suite_of(block)
    if "targets" in block.value:
        path.write_text(block.text, encoding="utf-8")
        assert problems(path, [], tmp_path, {}) == ()
    elif suite is not None or "save" in block.value:
        path.write_text(suite or _STEP + block.text, encoding="utf-8")
        assert problems(ROOT / "targets.yaml", [path], tmp_path, {}) == ()
    else:
        assert "jobs" in block.value or block.page.stem in _FOREIGN


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_compiles(block: Block) -> None:
    """A block is a whole module."""
    compile(block.text, str(block), "exec")


def test_every_example_is_in_the_shared_run(shared_run: SharedRun) -> None:
    """No block that can run is left out of the run."""
    ran = {Path(check["path"]).stem.removeprefix("test_") for check in shared_run.verdict["checks"]}
    runnable = [block for block in YAML if suite_of(block)] + [block for block in PYTHON if "def test_" in block.text]
    assert {block.slug for block in runnable} == ran


def test_every_example_passes_against_the_demo(shared_run: SharedRun) -> None:
    """All checks and tests of the documentation pass; only what is for other targets is skipped."""
    wrong = {
        check["id"]: (check["outcome"], check["reason"], check["attempts"])
        for check in shared_run.verdict["checks"]
        if check["outcome"] != "passed" and not check["by_policy"]
    }
    assert wrong == {}, shared_run.output
    assert shared_run.verdict["verdict"] == "pass", shared_run.output
    assert shared_run.status == 0
