"""What deploy_staging.yml and synthetic.yml do, and what ci.yml runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.pipeline.conftest import Run, Stage

NEW = "a" * 40


@pytest.mark.parametrize(
    ("status", "said"),
    [("0", "works (exit status 0)"), ("20", "is broken (exit status 20)"), ("10", "did not pass (exit status 10)")],
)
def test_staging_is_deployed_then_verified(play: Callable[..., Run], stage: Stage, status: str, said: str) -> None:
    """The commit that was pushed is deployed and verified by its own name, and the job is as red as the verdict."""
    run = play("deploy_staging.yml", verify=status)
    assert stage.calls == [
        f"deployer deploy staging {NEW}",
        f"postdeploy verify staging --deadline 5m --reports reports --release {NEW} --run-id staging-7-1",
    ]
    assert run.results["staging"] == ("success" if status == "0" else "failure")
    assert said in run.endings["staging", "Say what came of it"].summary


@pytest.mark.parametrize(
    ("fakes", "said"),
    [
        ({"verify": "killed"}, "did not pass (exit status 137)"),
        ({"verify": "hung"}, "did not pass (exit status 137)"),
        ({"verify": "waiting", "cancelled_while": "Verify"}, "did not pass (exit status 10)"),
    ],
)
@pytest.mark.parametrize(("workflow", "job"), [("deploy_staging.yml", "staging"), ("synthetic.yml", "synthetic")])
def test_a_verifier_that_does_not_end_by_itself_is_no_pass(
    play: Callable[..., Run], stage: Stage, workflow: str, job: str, fakes: dict[str, str], said: str
) -> None:
    """Killed, hung, cancelled: the job is red and says so, and where somebody is on call, they are paged."""
    stage.environment["VERIFY_LIMIT"] = "0.4s"
    run = play(workflow, **fakes)
    assert run.results[job] == "failure"
    ending = run.endings[job, "Say what came of it"]
    assert said.partition(" (")[2] in ending.summary
    assert "::error title=" in ending.output
    assert stage.paged == (workflow == "synthetic.yml")


def test_a_failed_deployment_of_staging_is_not_verified(play: Callable[..., Run], stage: Stage) -> None:
    """What was not deployed is not verified, and the summary claims nothing."""
    run = play("deploy_staging.yml", deployer_fails="deploy")
    assert stage.calls == [f"deployer deploy staging {NEW}"]
    assert "did not pass (exit status none)" in run.endings["staging", "Say what came of it"].summary


@pytest.mark.parametrize(
    ("status", "state", "said"),
    [
        ("0", "sealed", ""),
        ("10", "sealed", "is broken"),
        ("10", "started", "is not known to work"),
        ("10", "", "is not known to work"),
        ("killed", "", "is not known"),
    ],
)
def test_synthetic_monitoring_pages_unless_production_works(
    play: Callable[..., Run], stage: Stage, status: str, state: str, said: str
) -> None:
    """Whatever is live is verified; anything but a pass is annotated and paged, and nothing is ever deployed."""
    if state:
        (stage.work / "reports").mkdir()
        (stage.work / "reports" / "verdict.json").write_text(f'{{"state": "{state}", "verdict": "fail"}}')
    run = play("synthetic.yml", verify=status)
    ran = "postdeploy verify production --deadline 5m --reports reports --run-id synthetic-7-1 --monitor"
    assert stage.calls[0] == ran
    assert stage.paged == (status != "0")
    ending = run.endings["synthetic", "Say what came of it"]
    assert ("::error title=Synthetic monitoring::" in ending.output) == (status != "0")
    assert said in ending.output
    assert stage.deployed == []


def test_synthetic_monitoring_holds_no_credential_that_deploys(workflow: Callable[[str], dict[str, Any]]) -> None:
    """A monitor cannot deploy, because nothing in its workflow could."""
    assert "DEPLOY" not in str(workflow("synthetic.yml")).replace("POSTDEPLOY", "")


def test_ci_runs_what_every_machine_runs(workflow: Callable[[str], dict[str, Any]]) -> None:
    """CI has no steps of its own: the script on 3.11 and its faults as root, the tests on 3.13, pipelines."""
    jobs = workflow("ci.yml")["jobs"]
    ran = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert ran == {
        "check": ["bash .ci/run"],
        "newest": ["make test"],
        "pipelines": ["make pipelines"],
        "faults": ['sudo env "PATH=$PATH" make faults'],
    }
