"""What deploy_production.yml really does to production, for every way a verification can end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.pipeline.conftest import Run, Stage

NEW, OLD = "a" * 40, "b" * 40
PRODUCTION = "deploy_production.yml"
SHIFTED = ["deploy", "shift"]
CANCELLED_AFTER_20 = """
echo "postdeploy $*" >>"$CALLS"
[[ $* == *"--release $FAKE_NEW"* ]] || exit 0
trap 'exit 20' TERM
while :; do sleep 0.02; done
"""


def test_a_pass_is_promoted_after_the_gate_said_yes(play: Callable[..., Run], stage: Stage) -> None:
    """Status 0 from the verifier, then 0 from the gate: promoted, and nobody is paged."""
    run = play(PRODUCTION, verify="0", gate="0")
    assert stage.deployed == [*SHIFTED, "promote"]
    assert {job for job, result in run.results.items() if result == "skipped"} == {
        "rollback",
        "verify_rollback",
        "hold",
    }
    asked = next(index for index, call in enumerate(stage.calls) if call.startswith("postdeploy gate"))
    assert stage.calls[asked + 1] == f"deployer promote production {NEW}"
    assert all(call.startswith("curl ") and "/deployments" in call for call in stage.calls[asked + 2 :])
    assert not stage.paged
    assert stage.recorded == ["in_progress", "success"]


def test_the_gate_is_asked_about_this_target_release_and_run(play: Callable[..., Run], stage: Stage) -> None:
    """The gate hears the run id that the verifier was given, and everything else that pins the proof down."""
    play(PRODUCTION, verify="0")
    verify, gate = (call for call in stage.calls if call.startswith("postdeploy"))
    assert verify == (
        f"postdeploy verify production --deadline 5m --reports reports --release {NEW} --run-id production-7-1"
    )
    assert gate == (
        f"postdeploy gate --target production --release {NEW} --run-id production-7-1"
        " --max-age 15m --verdict proof/verdict.json"
    )


def test_a_confirmed_failure_is_rolled_back_and_the_rollback_is_verified(
    play: Callable[..., Run], stage: Stage
) -> None:
    """Status 20: back to the release promoted last, which is then verified by its own name; no gate is asked."""
    run = play(PRODUCTION, verify="20", gate="30")
    assert stage.deployed == [*SHIFTED, "rollback"]
    assert f"deployer rollback production {NEW} {OLD}" in stage.calls
    assert [call for call in stage.calls if call.startswith("postdeploy")][-1] == (
        f"postdeploy verify production --deadline 5m --reports reports --release {OLD} --run-id rollback-7-1"
    )
    assert stage.recorded == ["in_progress", "failure"]
    assert not any(call.startswith("postdeploy gate") for call in stage.calls)
    assert (run.results["verify_rollback"], run.results["hold"]) == ("success", "skipped")


@pytest.mark.parametrize("status", ["4", "10", "killed"])
def test_everything_else_holds_and_pages(play: Callable[..., Run], stage: Stage, status: str) -> None:
    """Any other end of the verifier, its death included, moves no traffic and pages someone."""
    run = play(PRODUCTION, verify=status)
    assert stage.deployed == [*SHIFTED, "hold"]
    assert stage.paged
    assert run.results["verify"] == "failure"


@pytest.mark.parametrize(
    "status", ["", "00", "020", "0 ", "1", "2", "3", "4", "5", "30", "64", "120", "124", "137", "200"]
)
def test_every_other_status_decides_to_hold(stage: Stage, decide: str, status: str) -> None:
    """Only the exact words 0 and 20 decide anything; no status at all is a hold like every other."""
    assert stage.run(decide, STATUS=status, RELEASE=NEW).outputs == {"action": "hold"}


def test_a_verifier_that_hangs_is_ended_and_held(play: Callable[..., Run], stage: Stage) -> None:
    """A verifier that ignores its deadline and SIGTERM is killed; that is a hold."""
    stage.environment["VERIFY_LIMIT"] = "0.2s"
    run = play(PRODUCTION, verify="hung")
    assert "verifier: refuses to end" in stage.calls
    assert run.endings["verify", "Verify"].outputs == {"status": "137"}
    assert stage.deployed == [*SHIFTED, "hold"]


def test_a_run_that_is_cancelled_while_it_verifies_is_held(play: Callable[..., Run], stage: Stage) -> None:
    """The verifier seals what it has; nothing is promoted, and someone is paged, although the run is cancelled."""
    run = play(PRODUCTION, verify="waiting", cancelled_while="Verify")
    assert "verifier: sealed" in stage.calls
    assert run.endings["verify", "Decide"].outputs == {"action": "hold"}
    assert stage.deployed == [*SHIFTED, "hold"]
    assert stage.paged
    assert stage.recorded == ["in_progress", "error"]


def test_a_confirmed_failure_is_rolled_back_in_a_cancelled_run(play: Callable[..., Run], stage: Stage) -> None:
    """Cancelling comes too late for users who are being hurt: what was sealed as 20 is rolled back and verified."""
    stage._program(stage.folder / "bin" / "postdeploy", CANCELLED_AFTER_20)
    run = play(PRODUCTION, cancelled_while="Verify")
    assert stage.deployed == [*SHIFTED, "rollback"]
    assert run.results["verify_rollback"] == "success"


@pytest.mark.parametrize("ruling", ["20", "30", "killed"])
def test_a_gate_that_says_anything_but_0_stops_the_promotion(
    play: Callable[..., Run], stage: Stage, ruling: str
) -> None:
    """Whatever the verifier's status promised, a gate that does not answer 0 means hold; even its 20 is no rollback."""
    run = play(PRODUCTION, verify="0", gate=ruling)
    assert stage.deployed == [*SHIFTED, "hold"]
    assert stage.paged
    assert run.results["promote"] == "failure"


def test_a_rollback_that_does_not_pass_pages(play: Callable[..., Run], stage: Stage) -> None:
    """After a rollback the old release has to pass too; where it does not, someone is woken."""
    play(PRODUCTION, verify="20", verify_old="10")
    assert stage.deployed == [*SHIFTED, "rollback", "hold"]
    assert stage.paged


@pytest.mark.parametrize(
    ("verify", "fails", "deployed"),
    [
        ("0", "deploy", ["deploy", "hold"]),
        ("0", "shift", ["deploy", "shift", "hold"]),
        ("0", "promote", ["deploy", "shift", "promote", "hold"]),
        ("20", "rollback", ["deploy", "shift", "rollback", "hold"]),
        ("10", "hold", ["deploy", "shift", "hold"]),
    ],
)
def test_a_deployer_that_fails_is_held_and_paged(
    play: Callable[..., Run], stage: Stage, verify: str, fails: str, deployed: list[str]
) -> None:
    """Whichever act of the deployer fails, nothing goes on as if it had not, and someone is paged."""
    play(PRODUCTION, verify=verify, deployer_fails=fails)
    assert stage.deployed == deployed
    assert stage.paged


def test_outputs_that_never_came_hold(play: Callable[..., Run], stage: Stage) -> None:
    """A verify job whose runner vanished after a pass has no outputs: hold, never promote."""
    play(PRODUCTION, verify="0", lost="verify")
    assert stage.deployed == [*SHIFTED, "hold"]
    assert stage.paged


@pytest.mark.parametrize(
    ("fakes", "state", "text"),
    [
        ({"verify": "0"}, "success", "verified and promoted"),
        ({"verify": "20"}, "failure", "broken; rolled back, and the rollback is verified"),
        ({"verify": "20", "verify_old": "10"}, "failure", "broken; rolled back, but the rollback is not known to work"),
        ({"verify": "20", "deployer_fails": "rollback"}, "error", "on hold: look at the run"),
        ({"verify": "10"}, "error", "on hold: look at the run"),
        ({"verify": "killed"}, "error", "on hold: look at the run"),
        ({"verify": "0", "gate": "30"}, "error", "on hold: look at the run"),
        ({"verify": "0", "lost": "verify"}, "error", "on hold: look at the run"),
        ({"deployer_fails": "shift"}, "error", "on hold: look at the run"),
        ({"verify": "0", "cancelled_in": "verify"}, "error", "on hold: look at the run"),
    ],
)
def test_github_is_told_what_became_of_the_deployment(
    play: Callable[..., Run], stage: Stage, fakes: dict[str, str], state: str, text: str
) -> None:
    """Success only for what is promoted, failure for what is broken, error for whatever nobody can tell."""
    play(PRODUCTION, **fakes)
    assert stage.recorded == ["in_progress", state]
    (told,) = (call for call in stage.calls if f'"state": "{state}"' in call)
    assert f'"description": "{text}"' in told
    assert told.endswith("/repos/talkstudio/talkstudio/deployments/5/statuses")


def test_a_github_that_does_not_answer_changes_nothing(play: Callable[..., Run], stage: Stage) -> None:
    """Where the deployment cannot be recorded, that job alone is red."""
    run = play(PRODUCTION, verify="0", curl="22")
    assert (stage.deployed, run.results["record"]) == ([*SHIFTED, "promote"], "failure")
    assert run.results["hold"] == "skipped"


def test_a_canary_is_verified_at_its_own_address(play: Callable[..., Run], stage: Stage) -> None:
    """Verifier and gate are about the target that a variable names; deployer and rollback are about production."""
    play(PRODUCTION, verify="0", contexts={"vars.VERIFY_TARGET": "canary"})
    verify, gate = (call for call in stage.calls if call.startswith("postdeploy"))
    assert verify.startswith("postdeploy verify canary ")
    assert gate.startswith("postdeploy gate --target canary ")
    play(PRODUCTION, verify="20", contexts={"vars.VERIFY_TARGET": "canary"})
    assert [call for call in stage.calls if call.startswith("postdeploy")][-1].startswith(
        "postdeploy verify production "
    )


@pytest.mark.parametrize(("status", "attested"), [("0", "success"), ("10", "skipped"), ("20", "skipped")])
def test_only_a_pass_is_attested(play: Callable[..., Run], status: str, attested: str) -> None:
    """The attestation is for whoever takes up the release later, and nothing waits for it."""
    run = play(PRODUCTION, verify=status)
    assert run.results["attest"] == attested
    assert all("attest" not in job.get("needs", []) for job in run.workflow["jobs"].values())


def test_a_deploy_job_that_vanished_holds_an_unknown_release(play: Callable[..., Run], stage: Stage) -> None:
    """Where even the release's name was lost, hold still has something to say to the deployer."""
    play(PRODUCTION, lost="deploy")
    assert stage.calls[-2] == "deployer hold production unknown"
    assert stage.paged


def test_a_cancelled_pass_is_not_promoted(play: Callable[..., Run], stage: Stage) -> None:
    """A run that is cancelled after the verifier passed holds."""
    play(PRODUCTION, verify="0", cancelled_in="verify")
    assert stage.deployed == [*SHIFTED, "hold"]


def test_a_cancelled_failure_is_still_rolled_back(play: Callable[..., Run], stage: Stage) -> None:
    """Cancelling a run does not leave users on a release that is known to be broken."""
    play(PRODUCTION, verify="20", cancelled_in="verify")
    assert stage.deployed == [*SHIFTED, "rollback"]


@pytest.mark.parametrize("previous", ["", "v1.4.1"])
def test_without_a_way_back_nothing_is_deployed(play: Callable[..., Run], stage: Stage, previous: str) -> None:
    """A release is refused before anything is touched when the one to go back to is not known."""
    run = play(PRODUCTION, previous=previous)
    assert stage.deployed == ["hold"]
    assert "nothing was deployed" in run.endings["deploy", "Know the way back"].output


@pytest.mark.parametrize("tag", ["main", "v1.4", "v1.4.2;id", "$(id)", "v1.4.2\nv1.4.3"])
def test_only_tags_of_releases_are_deployed(play: Callable[..., Run], stage: Stage, tag: str) -> None:
    """A name that is not a release's is refused before it reaches git or the deployer."""
    play(PRODUCTION, contexts={"inputs.release": tag})
    assert stage.deployed == ["hold"]


@pytest.mark.parametrize("tag", ["v10.0.0-rc.1", "v1.4.2+build.7"])
def test_a_release_can_be_named_by_hand(play: Callable[..., Run], stage: Stage, tag: str) -> None:
    """The input of a manual run is a release's tag, with or without a suffix."""
    play(PRODUCTION, contexts={"inputs.release": tag, "github.ref_name": "main"})
    assert stage.deployed == [*SHIFTED, "promote"]


def test_a_deployer_that_is_not_configured_says_so_and_pages(play: Callable[..., Run], stage: Stage) -> None:
    """With no DEPLOYER the first use of it explains itself, and the page is sent all the same."""
    run = play(PRODUCTION, contexts={"vars.DEPLOYER": ""})
    assert "DEPLOYER is not set" in run.endings["deploy", "Know the way back"].output
    assert stage.deployed == []
    assert stage.paged


def test_a_page_that_cannot_be_sent_is_red(play: Callable[..., Run], stage: Stage) -> None:
    """Where there is nobody to page, the hold job says so and fails."""
    run = play(PRODUCTION, verify="10", contexts={"secrets.PAGE_WEBHOOK": ""})
    assert "nobody was paged" in run.endings["hold", "Page"].output
    assert run.results["hold"] == "failure"


def test_the_run_tells_its_story(play: Callable[..., Run]) -> None:
    """Summary, annotation and page name the release, the decision and how far each job came."""
    run = play(PRODUCTION, verify="10")
    assert f"`{NEW}` → **hold** (exit status 10)" in run.endings["verify", "Decide"].summary
    page = run.endings["hold", "Page"]
    assert "::error title=Production is on hold::" in page.output
    assert (
        f"Production is on hold at {NEW} (decided: hold; deploy success, verify failure, promote skipped,"
        " rollback skipped, verify_rollback skipped). https://github.example/talkstudio/talkstudio/actions/runs/7"
    ) in page.summary


@pytest.fixture
def decide(workflow: Callable[[str], dict[str, Any]]) -> str:
    """The script of the step that turns a status into a decision."""
    steps = workflow(PRODUCTION)["jobs"]["verify"]["steps"]
    return str(next(step["run"] for step in steps if step.get("id") == "decide"))


RESULTS = ("success", "failure", "cancelled", "skipped")
ACTIONS = ("", "promote", "rollback", "hold", "Promote ", "0")


def test_the_conditions_promote_only_a_green_pass_and_always_roll_back(conditions: Callable[..., bool]) -> None:
    """Over every result, decision and cancellation: promote needs all of it right, rollback only the decision."""
    for deploy, verify, action, cancelled in itertools.product(RESULTS, RESULTS, ACTIONS, (False, True)):
        facts = {"needs.deploy.result": deploy, "needs.verify.result": verify, "needs.verify.outputs.action": action}
        green = (deploy, verify) == ("success", "success")
        promotes = conditions("promote", facts, succeeded=green, cancelled=cancelled)
        assert promotes == (green and action == "promote" and not cancelled), facts
        assert conditions("rollback", facts, succeeded=green, cancelled=cancelled) == (action == "rollback"), facts


def test_the_conditions_hold_whatever_did_not_end_well(conditions: Callable[..., bool]) -> None:
    """Over every result: hold runs unless a promotion, or the verification of a rollback, succeeded."""
    for promote, rolled_back, cancelled in itertools.product(RESULTS, RESULTS, (False, True)):
        facts = {"needs.promote.result": promote, "needs.verify_rollback.result": rolled_back}
        holds = conditions("hold", facts, succeeded=False, cancelled=cancelled)
        assert holds == ("success" not in {promote, rolled_back}), facts
