"""The pipeline on the GitLab page, run by gitlab-ci-local: jobs in real bash, variables handed on as GitLab does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.conftest import NEW, OLD, ROOT, block
from tests.pipeline_tools.conftest import node_program

if TYPE_CHECKING:
    from tests.pipeline.conftest import Stage

PAGE = ROOT / "docs/how-to/gitlab.md"
SHIFTED = ["deploy", "shift"]
Pipeline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pipeline(stage: Stage) -> Pipeline:
    """Run the page's pipeline on the commit NEW."""
    node = node_program("gitlab-ci-local")
    (stage.work / ".gitlab-ci.yml").write_text(block(PAGE, "yml"))
    (stage.folder / "bin" / "git").unlink()
    stage.environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    origin = ["remote", "add", "origin", "https://gitlab.example/talkstudio/talkstudio.git"]
    for words in (["init", "-q"], origin, ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=stage.work, env=stage.environment, check=True)

    def go(**fakes: str) -> subprocess.CompletedProcess[str]:
        given = {"RELEASE": NEW, "DEPLOYER": "deployer", "PAGE_WEBHOOK": "https://page.example/hook"}
        handed_on = stage.environment | fakes
        given |= {name: value for name, value in handed_on.items() if name.startswith(("FAKE_", "VERIFY_"))}
        given |= {name: handed_on[name] for name in ("CALLS", "PATH")}
        variables = [word for name, value in given.items() for word in ("--variable", f"{name}={value}")]
        command = [*node, "--force-shell-executor", "--home", str(stage.folder / "home"), *variables]
        return subprocess.run(
            command, cwd=stage.work, env=stage.environment, capture_output=True, text=True, timeout=60, check=False
        )

    return go


@pytest.mark.parametrize(
    ("fakes", "deployed", "paged", "green"),
    [
        ({}, [*SHIFTED, "promote"], False, True),
        ({"FAKE_VERIFY": "20", "FAKE_GATE": "30"}, [*SHIFTED, "rollback"], False, True),
        ({"FAKE_VERIFY": "20", "FAKE_VERIFY_OLD": "10"}, [*SHIFTED, "rollback", "hold"], True, False),
        ({"FAKE_VERIFY": "10"}, [*SHIFTED, "hold"], True, False),
        ({"FAKE_VERIFY": "killed"}, [*SHIFTED, "hold"], True, False),
        ({"FAKE_VERIFY": "hung", "VERIFY_LIMIT": "0.4s"}, [*SHIFTED, "hold"], True, False),
        ({"FAKE_GATE": "30"}, [*SHIFTED, "hold"], True, False),
    ],
    ids=["promote", "rollback", "rollback not verified", "hold", "killed", "hung", "gate refuses"],
)
def test_the_pipeline_does_what_its_page_says(
    stage: Stage, pipeline: Pipeline, fakes: dict[str, str], deployed: list[str], paged: bool, green: bool
) -> None:
    """The action and the way back reach the jobs that act; the deployer was told what the table on the page says."""
    done = pipeline(**fakes)
    assert (stage.deployed, stage.paged) == (deployed, paged), done.stdout + done.stderr
    assert (done.returncode == 0) == green, done.stdout + done.stderr
    if "rollback" in deployed:
        assert f"deployer rollback production {NEW} {OLD}" in stage.calls
        verified = [call for call in stage.calls if call.startswith("postdeploy verify")][-1]
        assert f"--reports reports/rollback --release {OLD} --run-id production-" in verified


def test_the_page_is_what_gitlab_reads(tmp_path: Path) -> None:
    """It has no key that GitLab's own schema does not know."""
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(block(PAGE, "yml"))
    program = str(Path(sys.executable).parent / "check-jsonschema")
    command = [program, "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
