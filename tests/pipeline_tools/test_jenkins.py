"""The Jenkinsfile on its page, run by Groovy: stages, conditions and shells are real, Jenkins' steps stood in for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.conftest import NEW, OLD, ROOT, block
from tests.pipeline_tools.conftest import program

if TYPE_CHECKING:
    from tests.pipeline.conftest import Stage

PAGE = ROOT / "docs/how-to/jenkins.md"
SHIFTED = ["deploy", "shift"]
SUCCESS, FAILURE, UNSTABLE = 0, 1, 2


def built(stage: Stage, **fakes: str) -> subprocess.CompletedProcess[str]:
    """Build the page's Jenkinsfile."""
    groovy = program("groovy")
    path = stage.work / "Jenkinsfile"
    path.write_text(block(PAGE, "groovy").replace("./my-deployer", "deployer"))
    java = Path(program("java")).resolve().parents[1]
    given = {"RELEASE": NEW, "BUILD_NUMBER": "7", "BUILD_URL": "https://jenkins.example/7/", "JAVA_HOME": str(java)}
    given["JAVA_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # it lives for a second
    return subprocess.run(
        [groovy, str(Path(__file__).with_name("jenkins.groovy")), str(path)],
        cwd=stage.work,
        env=os.environ | stage.environment | given | fakes,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("fakes", "deployed", "paged", "result"),
    [
        ({}, [*SHIFTED, "promote"], False, SUCCESS),
        ({"FAKE_VERIFY": "20", "FAKE_GATE": "30"}, [*SHIFTED, "rollback"], False, UNSTABLE),
        ({"FAKE_VERIFY": "20", "FAKE_VERIFY_OLD": "10"}, [*SHIFTED, "rollback", "hold"], True, FAILURE),
        ({"FAKE_VERIFY": "10"}, [*SHIFTED, "hold"], True, FAILURE),
        ({"FAKE_VERIFY": "killed"}, [*SHIFTED, "hold"], True, FAILURE),
        ({"FAKE_GATE": "30"}, [*SHIFTED, "hold"], True, FAILURE),
        ({"FAKE_PREVIOUS": ""}, ["hold"], True, FAILURE),
    ],
    ids=["promote", "rollback", "rollback not verified", "hold", "killed", "gate refuses", "no way back"],
)
def test_the_pipeline_does_what_its_page_says(
    stage: Stage, fakes: dict[str, str], deployed: list[str], paged: bool, result: int
) -> None:
    """What the deployer was told, who was paged and how the build ended are what the table on the page says."""
    done = built(stage, **fakes)
    told = done.stdout + done.stderr
    assert (stage.deployed, stage.paged, done.returncode) == (deployed, paged, result), told
    if "rollback" in deployed:
        assert f"deployer rollback production {NEW} {OLD}" in stage.calls
        assert stage.calls[stage.calls.index(f"deployer rollback production {NEW} {OLD}") + 1].startswith(
            f"postdeploy verify production --deadline 5m --reports reports/rollback --release {OLD}"
        )
