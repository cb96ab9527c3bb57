"""deploy/verify.sh as the run step that it is: statuses, signals, limits."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline.conftest import Stage

STEP = 'exec deploy/verify.sh production "$RELEASE"'


@pytest.mark.parametrize("status", [0, 1, 2, 4, 10, 20, 30])
def test_the_status_of_the_verifier_is_the_steps_own_and_is_put_out(stage: Stage, status: int) -> None:
    """Later steps read the number that the verifier ended with; GitHub itself would tell them only red or green."""
    ending = stage.run(STEP, RELEASE="r1", FAKE_VERIFY=str(status))
    assert (ending.status, ending.outputs) == (status, {"status": str(status)})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_cancelled_step_lets_the_verifier_seal(stage: Stage, number: signal.Signals) -> None:
    """A signal to the step's entry process, which is all that GitHub signals, reaches the verifier at once."""
    process = stage.start(STEP, RELEASE="r1", FAKE_VERIFY="waiting")
    stage.until("postdeploy verify")
    time.sleep(0.1)  # until the verifier listens
    begun = time.monotonic()
    process.send_signal(number)
    ending = stage.end(process)
    assert time.monotonic() - begun < 5
    assert stage.calls.count("verifier: sealed") == 1
    assert (ending.status, ending.outputs) == (10, {"status": "10"})


def test_a_cancelled_verifier_that_will_not_end_is_killed(stage: Stage) -> None:
    """The kill follows the grace also where a cancellation, not the limit, asked the verifier to end."""
    process = stage.start(STEP, RELEASE="r1", FAKE_VERIFY="hung")
    stage.until("postdeploy verify")
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert stage.end(process).outputs == {"status": "137"}


@pytest.mark.parametrize(
    ("deadline", "limit"),
    [
        ("", "420s"),
        ("90s", "210s"),
        ("90", "210s"),
        ("20m", "1320s"),
        ("1.5m", "240s"),
        ("2h", "7320s"),
        ("500ms", "121s"),
        ("08m", "600s"),
        ("soon", "420s"),
    ],
)
def test_the_limit_comes_after_the_deadline(stage: Stage, deadline: str, limit: str) -> None:
    """A verifier that was given time is not ended before it is over; one that hangs is ended two minutes later."""
    stage._program(stage.folder / "bin" / "timeout", 'echo "timeout $*" >>"$CALLS"')
    stage.run(STEP, RELEASE="r1", **({"VERIFY_DEADLINE": deadline} if deadline else {}))
    assert f" {limit} postdeploy verify " in stage.calls[0]


def test_a_killed_step_puts_nothing_out(stage: Stage) -> None:
    """SIGKILL to the step leaves no status at all, which the next step takes for hold."""
    process = stage.start(STEP, RELEASE="r1", FAKE_VERIFY="waiting", VERIFY_LIMIT="0.5s")
    stage.until("postdeploy verify")
    process.kill()
    ending = stage.end(process)
    assert (ending.status, ending.outputs) == (-signal.SIGKILL, {})


def test_a_verifier_that_is_not_installed_is_no_verdict(stage: Stage) -> None:
    """A missing program ends with 127: hold."""
    (stage.folder / "bin" / "postdeploy").unlink()
    assert stage.run(STEP, RELEASE="r1").outputs == {"status": "127"}


def test_an_empty_release_is_refused(stage: Stage) -> None:
    """A release that got lost on the way must not become 'whatever is live'."""
    ending = stage.run(STEP, RELEASE="")
    assert (ending.status, stage.calls, ending.outputs) == (64, [], {})
    assert "the release is empty" in ending.output


def test_options_come_from_the_environment(stage: Stage) -> None:
    """The deadline and the run id are handed on; without a release none is asked for."""
    stage.run("exec deploy/verify.sh staging", RUN_ID="run-1", VERIFY_DEADLINE="90s")
    assert stage.calls == ["postdeploy verify staging --deadline 90s --reports reports --run-id run-1"]


def test_a_key_reaches_the_verifier_and_nobody_else(stage: Stage) -> None:
    """It is read from a descriptor; neither the verifier nor the shell around it has it in its environment."""
    spy = """
        cat "${!#}" >>"$CALLS"
        for process in $$ $PPID $(ps -o ppid= -p $PPID); do
          if tr '\\0' '\\n' <"/proc/$process/environ" | grep -q some-secret; then echo "seen in $process" >>"$CALLS"; fi
        done"""
    stage._program(stage.folder / "bin" / "postdeploy", f'echo "postdeploy $*" >>"$CALLS"{spy}')
    ending = stage.run("exec deploy/verify.sh staging", VERDICT_SIGNING_KEY="some-secret\nkey", RUN_ID="run-1")
    assert ending.status == 0, ending.output
    assert stage.calls == [
        "postdeploy verify staging --deadline 5m --reports reports --run-id run-1 --sign-key /dev/fd/3",
        "some-secret",
        "key",
    ]


@pytest.mark.parametrize("arguments", ["", "''", "a b c"])
def test_wrong_arguments_are_explained(stage: Stage, arguments: str) -> None:
    """A wrong call verifies nothing and says how it is meant."""
    ending = stage.run(f"exec deploy/verify.sh {arguments}")
    assert (ending.status, stage.calls) == (64, [])
    assert "usage: verify.sh TARGET [RELEASE]" in ending.output
