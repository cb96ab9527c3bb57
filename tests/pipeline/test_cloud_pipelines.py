"""Azure Pipelines, Google Cloud Deploy and AWS: the scripts of their pages in real bash, their hooks asked for real."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.pipeline.conftest import NEW, OLD, ROOT, block
from tests.sealed import FAILED, PASSED, seal

if TYPE_CHECKING:
    from tests.pipeline.conftest import Stage

AZURE = ROOT / "docs/how-to/azure-pipelines.md"
CLOUD_DEPLOY = ROOT / "docs/how-to/google-cloud-deploy.md"
AWS = ROOT / "docs/how-to/aws.md"
BIN = Path(sys.executable).parent
SHIFTED = ["deploy", "shift"]


@dataclass
class AzureRun:
    """One run of the page's pipeline: conditions evaluated, each `bash` step run, output variables handed on."""

    stage: Stage
    fakes: dict[str, str]
    lost: str = ""
    dependencies: dict[str, SimpleNamespace] = field(default_factory=dict)

    def go(self) -> AzureRun:
        """Run its stages in the order in which they stand."""
        for one in yaml.safe_load(block(AZURE, "yml"))["stages"]:
            name, needs = one["stage"], one.get("dependsOn", [])
            needs = [needs] if isinstance(needs, str) else needs
            known = {need: self.dependencies[need] for need in needs}
            runs = self._holds(one.get("condition", "succeeded()"), known)
            facts = SimpleNamespace(result="Skipped", outputs={})
            self.dependencies[name] = facts
            if runs:
                (job,) = one["jobs"]
                self._job(job, facts, one.get("variables", {}))
        return self

    def _holds(self, condition: str, known: dict[str, SimpleNamespace]) -> bool:
        functions = {
            "AND": lambda *parts: all(parts),
            "succeeded": lambda: all(one.result == "Succeeded" for one in known.values()),
            "eq": lambda left, right: left == right,
            "ne": lambda left, right: left != right,
            "dependencies": SimpleNamespace(**known),
        }
        text = re.sub(r"outputs\['([\w.]+)'\]", r"outputs.get('\1', '')", condition.replace("and(", "AND("))
        return bool(eval(text, {"__builtins__": {}}, functions))

    def _job(self, job: dict[str, Any], facts: SimpleNamespace, variables: dict[str, str]) -> None:
        given = {"RELEASE": NEW, "RUN_ID": "production-7", "DEPLOYER": "deployer", "PIPELINE_WORKSPACE": "/w"}
        for name, text in variables.items():
            found = re.fullmatch(r"\$\[ stageDependencies\.(\w+)\.(\w+)\.outputs\['([\w.]+)'\] \]", text)
            assert found, text
            given[name] = self.dependencies[found[1]].outputs.get(f"{found[2]}.{found[3]}", "")
        facts.result = "Succeeded"
        for step in job["steps"]:
            if "bash" not in step or facts.result != "Succeeded":
                continue
            own = {name: re.sub(r"\$\((\w+)\)", r"https://\1.example", str(text)) for name, text in step["env"].items()}
            ending = self.stage.run(step["bash"], **given, **own, **self.fakes)
            for name, value in re.findall(
                r"##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)", ending.output
            ):
                facts.outputs[f"{job['job']}.{step['name']}.{name}"] = value
            facts.result = "Succeeded" if ending.status == 0 else "Failed"
        if job["job"] == self.lost:
            facts.result, facts.outputs = "Failed", {}


@pytest.mark.parametrize(
    ("fakes", "lost", "deployed", "paged"),
    [
        ({}, "", [*SHIFTED, "promote"], False),
        ({"FAKE_VERIFY": "20", "FAKE_GATE": "30"}, "", [*SHIFTED, "rollback"], False),
        ({"FAKE_VERIFY": "20", "FAKE_VERIFY_OLD": "10"}, "", [*SHIFTED, "rollback", "hold"], True),
        ({"FAKE_VERIFY": "10"}, "", [*SHIFTED, "hold"], True),
        ({"FAKE_VERIFY": "killed"}, "", [*SHIFTED, "hold"], True),
        ({"FAKE_VERIFY": "hung", "VERIFY_LIMIT": "0.4s"}, "", [*SHIFTED, "hold"], True),
        ({"FAKE_GATE": "30"}, "", [*SHIFTED, "hold"], True),
        ({}, "verify", [*SHIFTED, "hold"], True),
        ({"FAKE_PREVIOUS": ""}, "", ["hold"], True),
        ({"FAKE_DEPLOYER_FAILS": "promote"}, "", [*SHIFTED, "promote", "hold"], True),
    ],
)
def test_azure_does_what_its_page_says(
    stage: Stage, fakes: dict[str, str], lost: str, deployed: list[str], paged: bool
) -> None:
    """Each way a verification can end leads to the stage that the page names, and to no other."""
    (stage.folder / "bin" / "pip").symlink_to("/bin/true")
    AzureRun(stage, fakes, lost).go()
    assert (stage.deployed, stage.paged) == (deployed, paged)
    if "rollback" in deployed:
        assert f"deployer rollback production {NEW} {OLD}" in stage.calls


def test_azure_reads_the_page(tmp_path: Path) -> None:
    """It has no key that Azure's own schema does not know."""
    path = tmp_path / "azure-pipelines.yml"
    path.write_text(block(AZURE, "yml"))
    options = ["--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines"]
    command = [str(BIN / "check-jsonschema"), *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


GCLOUD = """
echo "gcloud $*" >>"$CALLS"
[[ $1 != storage ]] || cat results.json >>"$CALLS"
exit "${FAKE_GCLOUD:-0}"
"""


def cloud_deployed(stage: Stage, **more: str) -> tuple[int, list[str]]:
    """How the container ended, and what was asked of gcloud."""
    stage._program(stage.folder / "bin" / "gcloud", GCLOUD)
    path = stage.work / "cloud_deploy.sh"
    path.write_text(block(CLOUD_DEPLOY, "bash"))
    path.chmod(0o755)
    names = ("TARGET", "DELIVERY_PIPELINE", "PROJECT", "LOCATION", "ROLLOUT")
    given = {f"CLOUD_DEPLOY_{name}": name.lower() for name in names} | {"CLOUD_DEPLOY_RELEASE": f"rel-{NEW}"}
    ending = stage.run("exec ./cloud_deploy.sh", **given, **more)
    return ending.status, [call for call in stage.calls if call.startswith(("gcloud", "{"))]


ROLLBACK = "gcloud deploy targets rollback target --quiet --delivery-pipeline delivery_pipeline --project project"


@pytest.mark.parametrize(
    ("fakes", "status", "asked"),
    [
        ({}, 0, []),
        ({"FAKE_GATE": "30"}, 1, []),
        ({"FAKE_VERIFY": "20", "FAKE_GATE": "30"}, 1, [f"{ROLLBACK} --region location"]),
        ({"FAKE_VERIFY": "10"}, 1, []),
        ({"FAKE_VERIFY": "killed"}, 1, []),
        ({"FAKE_VERIFY": "hung", "VERIFY_LIMIT": "0.4s"}, 1, []),
        ({"FAKE_VERIFY": "20", "FAKE_GCLOUD": "1"}, 1, [f"{ROLLBACK} --region location"]),
    ],
)
def test_cloud_deploy_does_what_its_page_says(
    stage: Stage, fakes: dict[str, str], status: int, asked: list[str]
) -> None:
    """The container is green for a promotion alone, and asks for a rollback for 20 alone."""
    assert cloud_deployed(stage, **fakes) == (status, asked)
    assert f"postdeploy verify target --deadline 5m --reports reports --release {NEW} --run-id rollout" in stage.calls


@pytest.mark.parametrize(
    ("verify", "result", "words"),
    [("0", "SUCCEEDED", ""), ("20", "FAILED", "being rolled back"), ("10", "FAILED", "hold")],
)
def test_a_custom_target_gets_its_results(stage: Stage, verify: str, result: str, words: str) -> None:
    """results.json says what the exit status says."""
    _, asked = cloud_deployed(stage, FAKE_VERIFY=verify, CLOUD_DEPLOY_OUTPUT_GCS_PATH="gs://bucket/out")
    assert asked[-2] == "gcloud storage cp --quiet results.json gs://bucket/out/results.json"
    written = json.loads(asked[-1])
    assert (written["resultStatus"], words in written["failureMessage"]) == (result, True)


@pytest.mark.parametrize("page", [CLOUD_DEPLOY, AWS], ids=lambda page: str(page.name))
def test_the_scripts_pass_shellcheck(page: Path) -> None:
    """Whoever copies a script from a page copies a clean one."""
    command = [str(BIN / "shellcheck"), "--norc", "-"]
    done = subprocess.run(command, input=block(page, "bash"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("fakes", "status"),
    [({}, 0), ({"FAKE_VERIFY": "20"}, 20), ({"FAKE_VERIFY": "10"}, 10), ({"FAKE_GATE": "30"}, 30)],
)
def test_a_server_is_validated(stage: Stage, fakes: dict[str, str], status: int) -> None:
    """The script of CodeDeploy's ValidateService is green only where verifier and gate are."""
    path = stage.work / "hooks/validate_service.sh"
    path.parent.mkdir()
    path.write_text(block(AWS, "bash"))
    path.chmod(0o755)
    (stage.work / "release").write_text(f"{NEW}\n")
    ending = stage.run("exec hooks/validate_service.sh", DEPLOYMENT_ID="d-1", **fakes)
    assert ending.status == status, ending.output
    assert f"--release {NEW} --run-id d-1" in stage.calls[0]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The module on the page."""
    monkeypatch.setenv("VERDICT_URL", "http://127.0.0.1:9/verdict")
    names: dict[str, Any] = {}
    exec(compile(block(AWS, "python"), "postdeploy_hook.py", "exec"), names)  # the page's own
    return SimpleNamespace(**names)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], Path]]:
    """Serve the verdict of a run by the real `postdeploy serve`, with a token."""
    begun: list[subprocess.Popen[str]] = []

    def go(run: Any) -> Path:
        path = seal(tmp_path, run)
        monkeypatch.setenv("VERDICT_TOKEN", "some-token-of-the-server")
        command = [
            str(BIN / "postdeploy"),
            "serve",
            "--target",
            "staging",
            "--verdict",
            str(path),
            "--max-age",
            "1000000h",
        ]
        command += ["--port", "0", "--token", "env:VERDICT_TOKEN"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        begun.append(process)
        line = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        monkeypatch.setenv("VERDICT_URL", f"{found[0]}/verdict")
        return path

    yield go
    for process in begun:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize(("run", "status"), [(PASSED, "SUCCEEDED"), (FAILED, "FAILED")])
def test_ecs_gets_the_verdict_that_is_served(
    hook: SimpleNamespace, serve: Callable[[Any], Path], run: Any, status: str
) -> None:
    """What passed goes on, what is broken is rolled back, by the word of the real server; without a file, neither."""
    path = serve(run)
    release = json.loads(path.read_bytes())["release"]["expected"]
    event = {"hookDetails": {"release": release} if release else {}}
    assert hook.ecs(event, None) == {"hookStatus": status}
    path.unlink()
    assert hook.ecs(event, None)["hookStatus"] == "IN_PROGRESS"


class Answers:
    """A server in the place of `postdeploy serve`, which answers one thing after the other and keeps the questions."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.left = list(answers)
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, body = outer.left.pop(0) if len(outer.left) > 1 else outer.left[0]
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Answers]]:
    """Start such a server."""
    begun: list[Answers] = []

    def go(*given: tuple[int, str]) -> Answers:
        begun.append(Answers(*given))
        monkeypatch.setenv("VERDICT_URL", f"http://127.0.0.1:{begun[-1].server.server_port}/verdict")
        return begun[-1]

    yield go
    for one in begun:
        one.server.shutdown()
        one.server.server_close()


HOLD, PROMOTE, BACK = ((s, json.dumps({"action": a})) for s, a in ((412, "hold"), (200, "promote"), (409, "rollback")))


@pytest.mark.parametrize(
    "answer",
    [HOLD, (200, ""), (200, "[]"), (200, "{}"), (500, "oops"), (401, '{"error": "token"}'), (200, '{"action": 1}')],
)
def test_what_is_no_answer_is_asked_again_until_the_deadline(
    hook: SimpleNamespace, answers: Callable[..., Answers], answer: tuple[int, str]
) -> None:
    """ECS asks again and remembers since when; past the deadline it is told to roll back, and never to go on."""
    answers(answer)
    first = hook.ecs({"hookDetails": {"release": "r1"}}, None, now=lambda: 1000.0)
    assert first == {
        "hookStatus": "IN_PROGRESS",
        "callBackDelay": 30,
        "hookDetails": {"release": "r1", "began": 1000.0},
    }
    later = {"hookDetails": first["hookDetails"]}
    assert hook.ecs(later, None, now=lambda: 1599.0)["hookStatus"] == "IN_PROGRESS"
    assert hook.ecs(later, None, now=lambda: 1600.0) == {"hookStatus": "FAILED"}


def test_a_server_that_is_not_there_is_no_answer(hook: SimpleNamespace) -> None:
    """Where nobody listens, ECS asks again."""
    assert hook.ecs({"hookDetails": None}, None, now=lambda: 1.0)["hookStatus"] == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("given", "status", "questions"),
    [((HOLD, HOLD, PROMOTE), "Succeeded", 3), ((BACK,), "Failed", 1), ((HOLD,), "Failed", 21)],
)
def test_codedeploy_is_told_once(
    hook: SimpleNamespace,
    answers: Callable[..., Answers],
    monkeypatch: pytest.MonkeyPatch,
    given: tuple[tuple[int, str], ...],
    status: str,
    questions: int,
) -> None:
    """The function waits for the run that the deployment names, and says Succeeded or Failed, the only two words."""
    monkeypatch.setenv("RELEASE", "r1")
    server, told, clock = answers(*given), [], [0.0]
    client = SimpleNamespace(put_lifecycle_event_hook_execution_status=lambda **facts: told.append(facts))
    event = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
    sleep = lambda seconds: clock.__setitem__(0, clock[0] + seconds)  # noqa: E731 - one line says it
    hook.codedeploy(event, None, client, lambda: clock[0], sleep)
    assert told == [{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": status}]
    assert server.asked == ["/verdict?release=r1&run_id=d-1"] * questions
