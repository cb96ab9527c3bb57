"""action.yml, run as GitHub runs it: every step in real bash, whatever becomes of the verifier."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.pipeline.conftest import ROOT, Ending, Expression
from tests.sealed import seal

if TYPE_CHECKING:
    from tests.pipeline.conftest import Stage

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
BIN = Path(sys.executable).parent

PASS = ("pass", "promote", "all_required_passed")
FAIL = ("fail", "rollback", "confirmed_failure")
HOLD = ("inconclusive", "hold", "suite_narrowed")

VERIFIER = """
echo "postdeploy $*" >>"$CALLS"
[[ -z ${FAKE_VERDICT:-} ]] || cp "$FAKE_VERDICT" reports/verdict.json
[[ -z ${FAKE_REPORTS:-} ]] || { echo '## summary' >reports/summary.md; echo '::error::told' >reports/annotations.txt; }
[[ -z ${FAKE_PAGE:-} ]] || touch reports/report.html
case ${FAKE_VERIFY:-0} in
  killed) kill -KILL $$ ;;
  hung) trap '' TERM; while :; do sleep 0.02; done ;;
  *) exit "${FAKE_VERIFY:-0}" ;;
esac
"""


@pytest.fixture
def act(stage: Stage) -> Act:
    """The action in a workspace of its own."""
    return Act(stage)


class Act:
    """Runs the steps of the action in their order, with its inputs."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.used: list[str] = []
        stage._program(stage.folder / "bin" / "postdeploy", VERIFIER)
        python = f'[[ $1 == -m ]] || exec {sys.executable} "$@"\necho "python $*" >>"$CALLS"'
        stage._program(stage.folder / "bin" / "python", python)

    def verdict(self, words: tuple[str, str, str], state: str = "sealed") -> str:
        """A verdict file that the verifier will leave."""
        path = self.stage.folder / "sealed.json"
        document = {"state": state, **dict(zip(("verdict", "action", "reason"), words, strict=True))}
        path.write_text(json.dumps(document))
        return str(path)

    def run(self, *, without: str = "", inputs: dict[str, str] | None = None, **more: str) -> dict[str, Ending]:
        """All steps; ``without`` is one that GitHub never comes to, as the runner gave up on it."""
        given = {name: str(facts.get("default", "")) for name, facts in ACTION["inputs"].items()}
        given |= {"target": "production", "release": "r1", **(inputs or {})}
        endings: dict[str, Ending] = {}
        outputs: dict[str, str] = {}
        failed = False
        for name, step in STEPS.items():
            words = {f"inputs.{key}": value for key, value in given.items()} | outputs
            words |= {"github.action_path": str(self.stage.work), "github.token": "github-token"}
            runs = Expression(words, succeeded=not failed).condition(step.get("if"))
            self.used += [step["uses"].split("@")[0]] if runs and "uses" in step else []
            if name == without or not runs or "run" not in step:
                continue
            own = {key: self.fill(str(value), words) for key, value in step.get("env", {}).items()}
            endings[name] = self.stage.run(step["run"], **own, **more)
            outputs |= {f"steps.{step.get('id')}.outputs.{key}": v for key, v in endings[name].outputs.items()}
            assert step.get("continue-on-error") or name == "Decide" or endings[name].status == 0, endings[name].output
            failed = failed or (endings[name].status != 0 and not step.get("continue-on-error"))
        return endings

    @staticmethod
    def fill(text: str, words: dict[str, str]) -> str:
        """Replace expressions by what they stand for."""
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: words.get(match[1], ""), text)


def test_inputs_and_outputs_are_wired() -> None:
    """Every output comes from the step that decides, every input is used, and every expression names one of them."""
    text = (ROOT / "action.yml").read_text()
    assert all(facts["value"] == f"${{{{ steps.decide.outputs.{name} }}}}" for name, facts in ACTION["outputs"].items())
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert all("${{" not in step.get("run", "") for step in STEPS.values())
    assert {"target", "release", "config", "deadline", "only", "sign"} <= set(ACTION["inputs"])


@pytest.mark.parametrize(
    ("status", "words", "action", "verdict"),
    [
        ("0", PASS, "promote", "pass"),
        ("20", FAIL, "rollback", "fail"),
        ("10", HOLD, "hold", "inconclusive"),
        ("10", ("fail", "hold", "already_broken"), "hold", "fail"),
        ("0", HOLD, "hold", "inconclusive"),
        ("0", FAIL, "hold", "inconclusive"),
        ("20", PASS, "hold", "inconclusive"),
        ("10", PASS, "hold", "inconclusive"),
        ("killed", PASS, "hold", "inconclusive"),
        ("127", PASS, "hold", "inconclusive"),
    ],
)
def test_the_action_follows_from_status_and_verdict(
    act: Act, status: str, words: tuple[str, str, str], action: str, verdict: str
) -> None:
    """Promote and roll back only where both say so; the step fails unless it is promote."""
    ending = act.run(FAKE_VERIFY=status, FAKE_VERDICT=act.verdict(words))["Decide"]
    assert (ending.outputs["action"], ending.outputs["verdict"]) == (action, verdict)
    assert (ending.status == 0) == (action == "promote")


@pytest.mark.parametrize("status", ["0", "20", "1", "killed"])
def test_a_verifier_that_leaves_no_verdict_holds(act: Act, status: str) -> None:
    """What stood there before the verifier started says hold, whatever status it ends with."""
    ending = act.run(FAKE_VERIFY=status)["Decide"]
    assert (ending.outputs["action"], ending.outputs["reason"]) == ("hold", "incomplete")
    document = json.loads((act.stage.work / "reports/verdict.json").read_text())
    assert (document["state"], document["action"]) == ("started", "hold")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"state": "sealed"}', '{"state": "sealed", "verdict": "pass"}'])
def test_a_torn_verdict_holds(act: Act, content: str) -> None:
    """What cannot be read proves nothing."""
    path = act.stage.folder / "torn.json"
    path.write_text(content)
    assert act.run(FAKE_VERIFY="0", FAKE_VERDICT=str(path))["Decide"].outputs["action"] == "hold"


def test_a_verdict_cannot_add_outputs(act: Act) -> None:
    """A word that is none of ours, such as one with a line feed in it, is no verdict."""
    words = ("pass", "promote", "x\naction=promote")
    ending = act.run(FAKE_VERIFY="10", FAKE_VERDICT=act.verdict(words))["Decide"]
    assert ending.outputs["action"] == "hold"


def test_a_hung_verifier_is_ended(act: Act) -> None:
    """The limit ends it, and the action is hold."""
    begun = time.monotonic()
    ending = act.run(FAKE_VERIFY="hung", FAKE_VERDICT=act.verdict(PASS), VERIFY_LIMIT="0.4s")["Decide"]
    assert time.monotonic() - begun < 10
    assert ending.outputs["action"] == "hold"


def test_a_cancelled_job_holds(act: Act) -> None:
    """The verify step never ends, the step that decides runs always: no status is hold."""
    ending = act.run(without="Verify")["Decide"]
    assert (ending.outputs["action"], ending.outputs["verdict"]) == ("hold", "inconclusive")


def test_a_job_that_dies_says_nothing(act: Act) -> None:
    """Without the last step there are no outputs at all: nobody may take that for a promotion."""
    assert "Decide" not in act.run(without="Decide", FAKE_VERDICT=act.verdict(PASS))


def test_later_jobs_may_look_at_the_outputs_instead(act: Act) -> None:
    """With fail: false the step is green, and the action says what it is."""
    ending = act.run(inputs={"fail": "false"}, FAKE_VERIFY="20", FAKE_VERDICT=act.verdict(FAIL))["Decide"]
    assert (ending.status, ending.outputs["action"]) == (0, "rollback")


def test_outputs_name_the_proof(act: Act) -> None:
    """Path and digest of the verdict, and the page for people if there is one."""
    verdict = act.verdict(PASS)
    ending = act.run(FAKE_VERDICT=verdict, FAKE_PAGE="yes")["Decide"]
    assert ending.outputs["verdict-path"] == "reports/verdict.json"
    assert ending.outputs["verdict-sha256"] == hashlib.sha256(Path(verdict).read_bytes()).hexdigest()
    assert ending.outputs["report-path"] == "reports/report.html"
    assert act.run(FAKE_VERDICT=verdict)["Decide"].outputs["report-path"] == ""


def test_summary_and_annotations(act: Act) -> None:
    """The summary and the annotations of the run, or one line of each where there are none."""
    ending = act.run(FAKE_VERIFY="20", FAKE_VERDICT=act.verdict(FAIL), FAKE_REPORTS="yes")["Decide"]
    assert (ending.summary, "::error::told" in ending.output) == ("## summary\n", True)
    ending = act.run(FAKE_VERIFY="killed")["Decide"]
    assert ending.summary == "## hold (incomplete, exit status 137)\n"
    assert "::error title=postdeploy::hold (incomplete, exit status 137)" in ending.output


def test_inputs_reach_the_verifier(act: Act) -> None:
    """Target, release, configuration, deadline, selection, key and run are passed on, each as one word."""
    inputs = {
        "config": "my targets.yaml",
        "deadline": "90s",
        "only": "login page",
        "sign": "env:KEY",
        "run-id": "7",
    }
    act.run(inputs=inputs)
    (call,) = (call for call in act.stage.calls if call.startswith("postdeploy "))
    assert call == (
        "postdeploy verify production --deadline 90s --reports reports --release r1 --run-id 7 "
        "--targets my targets.yaml --report html,markdown,junit,annotations --only login page --sign-key env:KEY"
    )


@pytest.mark.parametrize(
    ("given", "installed"),
    [({}, ["{action}[ui,sign,postgres]"]), ({"install": "x==1"}, ["x==1"]), ({"install": ""}, [])],
    ids=["own", "given", "there"],
)
def test_the_verifier_is_the_actions_own(act: Act, given: dict[str, str], installed: list[str]) -> None:
    """Whoever pins the action by a commit pins what runs; something else is installed where the input says so."""
    act.run(inputs=given, FAKE_VERDICT=act.verdict(PASS))
    expected = [f"python -m pip install --quiet {each.format(action=act.stage.work)}" for each in installed]
    assert [call for call in act.stage.calls if call.startswith("python ")] == expected


def test_without_a_release_whatever_is_live_is_verified(act: Act) -> None:
    """No release is no option, never an empty one."""
    act.run(inputs={"release": ""})
    assert not any("--release" in call for call in act.stage.calls)


@pytest.mark.parametrize(
    ("status", "words", "state"),
    [
        ("0", PASS, "success"),
        ("20", FAIL, "failure"),
        ("10", ("fail", "hold", "already_broken"), "failure"),
        ("10", HOLD, "error"),
        ("20", PASS, "error"),
        ("0", FAIL, "error"),
        ("killed", PASS, "error"),
    ],
)
def test_the_deployment_is_told(act: Act, status: str, words: tuple[str, str, str], state: str) -> None:
    """In progress, then success, failure or error, whatever becomes of the verifier and of this job."""
    act.run(inputs={"deployment": "staging"}, FAKE_VERIFY=status, FAKE_VERDICT=act.verdict(words))
    assert act.stage.recorded == ["in_progress", state]


def test_a_cancelled_job_tells_an_error(act: Act) -> None:
    """The verifier never ended, and the deployment does not stay in progress for ever."""
    act.run(inputs={"deployment": "staging"}, without="Verify")
    assert act.stage.recorded == ["in_progress", "error"]


def test_a_deployment_that_cannot_be_told_changes_no_verdict(act: Act) -> None:
    """GitHub's API is down: the action is what it was."""
    more = {"FAKE_VERDICT": act.verdict(PASS), "FAKE_CURL": "22"}
    endings = act.run(inputs={"deployment": "staging"}, **more)
    assert endings["Begin the deployment"].status != 0
    assert endings["Decide"].outputs["action"] == "promote"
    assert "End the deployment" not in endings


def test_no_deployment_is_told_unless_asked_for(act: Act) -> None:
    """Without the input, GitHub's API is not called."""
    act.run(FAKE_VERDICT=act.verdict(PASS))
    assert not any(call.startswith("curl ") for call in act.stage.calls)


@pytest.mark.parametrize(
    ("status", "words", "attests"),
    [("0", PASS, True), ("20", FAIL, True), ("10", HOLD, False), ("killed", PASS, False), ("0", FAIL, False)],
)
def test_what_is_certain_is_attested(act: Act, status: str, words: tuple[str, str, str], attests: bool) -> None:
    """Only a verdict that status and seal agree about is handed to GitHub's own action, and only where asked for."""
    path = seal(act.stage.folder)
    document = json.loads(path.read_bytes()) | dict(zip(("verdict", "action", "reason"), words, strict=True))
    path.write_text(json.dumps(document))
    act.run(inputs={"attest": "true"}, FAKE_VERIFY=status, FAKE_VERDICT=str(path))
    assert ("actions/attest" in act.used) == attests
    act.used.clear()
    act.run(FAKE_VERIFY=status, FAKE_VERDICT=str(path))
    assert act.used == []


@pytest.mark.parametrize(
    "command",
    [
        ["zizmor", "--offline", "--no-ignores", "--no-config", "--persona=pedantic", "--no-progress", "action.yml"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
    ],
    ids=["zizmor", "schema"],
)
def test_the_linter_has_nothing_to_say(command: list[str]) -> None:
    """Each linter passes the action as it is."""
    program, *arguments = command
    done = subprocess.run([BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


USES = """\
name: Use it
on: push
jobs:
  verify:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: verify
        uses: ./
        with: {inputs}
      - run: echo "$ACTION"
        env:
          ACTION: ${{{{ steps.verify.outputs.{output} }}}}
"""


@pytest.mark.parametrize(
    ("inputs", "output", "complaint"),
    [
        (dict.fromkeys(ACTION["inputs"], "x"), "action", ""),
        ({"target": "x", "releese": "x"}, "action", 'input "releese" is not defined'),
        ({"release": "x"}, "action", 'missing input "target"'),
        ({"target": "x"}, "actoin", 'property "actoin" is not defined'),
    ],
)
def test_a_workflow_that_uses_the_action_is_checked_by_actionlint(
    tmp_path: Path, inputs: dict[str, str], output: str, complaint: str
) -> None:
    """It understands the action: every input is taken; a wrong one, a missing one and a wrong output are told."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "action.yml").write_text((ROOT / "action.yml").read_text())
    path = tmp_path / ".github/workflows/use.yml"
    path.parent.mkdir(parents=True)
    path.write_text(USES.format(inputs=json.dumps(inputs), output=output))
    command = [str(BIN / "actionlint"), "-shellcheck=", "-pyflakes=", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not complaint), done.stdout
    assert complaint in done.stdout
