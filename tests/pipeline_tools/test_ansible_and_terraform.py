"""The playbook and the resource on their page, run by Ansible and Terraform themselves."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.conftest import NEW, ROOT, block
from tests.pipeline_tools.conftest import program

if TYPE_CHECKING:
    from tests.pipeline.conftest import Stage

PAGE = ROOT / "docs/how-to/ansible-and-terraform.md"
CASES = pytest.mark.parametrize(
    ("verify", "deployed", "green"),
    [
        ("0", ["deploy", "shift", "promote"], True),
        ("20", ["deploy", "shift", "rollback"], False),
        ("10", ["deploy", "shift", "hold"], False),
    ],
    ids=["promote", "rollback", "hold"],
)


def run(stage: Stage, *command: str, verify: str = "0") -> subprocess.CompletedProcess[str]:
    """Run a tool in the faked surroundings."""
    given = {"DEPLOYER": "deployer", "PAGE_WEBHOOK": "https://page.example/hook", "FAKE_VERIFY": verify}
    environment = stage.environment | given | {"LC_ALL": "C.UTF-8", "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        command, cwd=stage.work, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


@CASES
def test_the_playbook_does_what_its_page_says(stage: Stage, verify: str, deployed: list[str], green: bool) -> None:
    """The play is green only for a promotion, and tells a rollback from a hold."""
    ansible = program("ansible-playbook")
    (stage.folder / "bin" / "python").unlink()
    (stage.work / "release.yml").write_text(block(PAGE, "yml"))
    done = run(stage, ansible, "release.yml", "-e", f"release={NEW} deployer=deployer", verify=verify)
    assert (stage.deployed, done.returncode == 0) == (deployed, green), done.stdout + done.stderr
    assert ("is broken and was rolled back" in done.stdout) == (verify == "20")
    assert stage.paged == (verify == "10")


def test_the_playbook_has_no_error_of_syntax(stage: Stage) -> None:
    """Ansible can read it."""
    (stage.work / "release.yml").write_text(block(PAGE, "yml"))
    done = run(stage, program("ansible-playbook"), "--syntax-check", "release.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@CASES
def test_the_resource_does_what_its_page_says(stage: Stage, verify: str, deployed: list[str], green: bool) -> None:
    """Apply is green only for a promotion, which is then not done again; anything else is tried again."""
    terraform = program("terraform")
    (stage.work / "main.tf").write_text(block(PAGE, "hcl"))
    for words in (("init", "-input=false"), ("validate",), ("fmt", "-check")):
        done = run(stage, terraform, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    apply = ("apply", "-input=false", "-auto-approve", f"-var=release={NEW}")
    done = run(stage, terraform, *apply, verify=verify)
    assert (stage.deployed, done.returncode == 0) == (deployed, green), done.stdout + done.stderr
    assert run(stage, terraform, *apply, verify=verify).returncode == done.returncode
    assert stage.deployed == (deployed if green else deployed * 2)
