"""deploy/deploy.sh and deploy/page.sh: what they hand on, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline.conftest import Stage


@pytest.mark.parametrize(
    ("words", "handed_on"),
    [
        ("staging r1", "deploy staging r1"),
        ("production r1 shift", "shift production r1"),
        ("production r1 promote", "promote production r1"),
        ("production r2 rollback r1", "rollback production r2 r1"),
        ("production sha256:0f/x@y hold", "hold production sha256:0f/x@y"),
    ],
)
def test_the_deployer_hears_action_target_and_release(stage: Stage, words: str, handed_on: str) -> None:
    """Whatever is plugged in as DEPLOYER is started with the same words in one order."""
    ending = stage.run(f"deploy/deploy.sh {words}", DEPLOYER="deployer")
    assert (ending.status, stage.calls) == (0, [f"deployer {handed_on}"])


def test_the_previous_release_is_all_that_is_printed(stage: Stage) -> None:
    """`previous` is read by a pipeline, so talk goes to standard error."""
    ending = stage.run('test "$(deploy/deploy.sh production r1 previous)" = "$FAKE_OLD"', DEPLOYER="deployer")
    assert ending.status == 0


@pytest.mark.parametrize(
    ("words", "deployer", "status", "sentence"),
    [
        ("", "deployer", 64, "usage: deploy.sh TARGET RELEASE"),
        ("staging ''", "deployer", 64, "usage: deploy.sh TARGET RELEASE"),
        ("staging 'r1;id'", "deployer", 64, "not written as names are"),
        ("staging --force", "deployer", 64, "not written as names are"),
        ("production r2 rollback -r1", "deployer", 64, "not written as names are"),
        ("production r1 promot", "deployer", 64, "no such action: promot (deploy, shift, promote"),
        ("production r1 rollback", "deployer", 64, "rollback needs the release to go back to"),
        ("production r1 promote r0", "deployer", 64, "promote takes no previous release"),
        ("staging r1", "", 78, "DEPLOYER is not set: name the program that can deploy on staging"),
        ("staging r1", "nonesuch", 78, "DEPLOYER names no program: nonesuch"),
    ],
)
def test_a_wrong_call_deploys_nothing_and_says_why(
    stage: Stage, words: str, deployer: str, status: int, sentence: str
) -> None:
    """Wrong words and a missing configuration are told apart, and neither reaches the deployer."""
    ending = stage.run(f"deploy/deploy.sh {words}", DEPLOYER=deployer)
    assert (ending.status, stage.calls) == (status, [])
    assert sentence in ending.output


def test_a_page_is_json_and_keeps_its_address_off_the_command_line(stage: Stage) -> None:
    """The text is escaped; the webhook, which is a credential, is in no argument."""
    text = 'a "quoted" \\ word\nand a second line'
    ending = stage.run('deploy/page.sh "$TEXT"', TEXT=text, PAGE_WEBHOOK="https://page.example/secret")
    assert ending.status == 0
    (call,) = stage.calls
    assert '--data {"text": "a \\"quoted\\" \\\\ word and a second line"}' in call
    assert "secret" not in call


def test_a_page_that_is_refused_is_an_error(stage: Stage) -> None:
    """Where the webhook answers with an error, the script fails."""
    assert stage.run("deploy/page.sh x", PAGE_WEBHOOK="https://page.example/x", FAKE_CURL="22").status == 22
