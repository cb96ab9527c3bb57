"""What ``deploy/`` has for Kubernetes, Helm, Argo Rollouts and Flagger, held to linters, schemas and real answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from postdeploy.cli import main
from postdeploy.demand import Demand
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.status import ExitStatus
from postdeploy.serving.server import serving
from postdeploy.serving.verdict_routes import verdict_routes
from postdeploy.standing import Judge
from tests.domain.builders import evidence, failed, passed, plan
from tests.pipeline.kubernetes_objects import DEPLOY, analysis_phase, helm_rendered, objects
from tests.sealed import FAILED, PASSED, demand, seal

BIN = Path(sys.executable).parent
NATIVE = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
WEB, BY_JOB = "argo-rollouts/analysis-template.yaml", "argo-rollouts/analysis-template-job.yaml"
HELD = evidence(
    passed("home"), failed("api"), plan=(plan("home"), plan("api", "major")), run=PASSED.run, target=PASSED.target
)
RUNS: Mapping[str, Evidence | None] = {
    "pass": PASSED, "fail": FAILED, "fail to hold": HELD, "narrowed": replace(PASSED, narrowed_by=("-k",)),
    "none": None,
}  # fmt: skip
TOKEN = "a-token-of-some-length"


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod that a manifest of ours makes, by its file."""
    (job,), (cronjob,) = objects("kubernetes/job.yaml"), objects("kubernetes/cronjob.yaml")
    (analysis,) = objects(BY_JOB)
    yield "job", job["spec"]["template"]["spec"]
    yield "cronjob", cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    yield "serve", objects("kubernetes/serve.yaml")[0]["spec"]["template"]["spec"]
    yield "analysis", analysis["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"]["spec"]
    yield "helm", helm_rendered("tests/verify.yaml")["spec"]


def test_dockerfile() -> None:
    """Hadolint has nothing to say."""
    done = subprocess.run([BIN / "hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_holds_what_it_copies_and_little_else() -> None:
    """It runs as a user without rights, from two stages, with pinned packages; the context lets nothing else in."""
    text = (DEPLOY / "Dockerfile").read_text()
    assert len(re.findall(r"^FROM ", text, re.MULTILINE)) == 2
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()}
    root = DEPLOY.parent
    assert [name for name in copied if not (root / name).exists()] == []
    allowed = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert allowed == copied


@pytest.mark.parametrize("strict", [True, False])
def test_manifests_are_valid(tmp_path: Path, strict: bool) -> None:
    """Kubernetes' own schemas take every native object, also those that Helm and Argo Rollouts make; typos show."""
    (analysis,) = objects(BY_JOB)
    made: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}
    made["spec"] = analysis["spec"]["metrics"][0]["provider"]["job"]["spec"]
    rendered = [helm_rendered("tests/verify.yaml"), made]
    if not strict:
        made["spec"]["backofLimit"] = 1
    (tmp_path / "rendered.yaml").write_text(yaml.safe_dump_all(rendered))
    command: list[str | Path] = [
        BIN / "kubernetes-validate",
        "--strict",
        "--quiet",
        *NATIVE,
        tmp_path / "rendered.yaml",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == strict, done.stderr


@pytest.mark.parametrize("name", [WEB, BY_JOB, "flagger/canary.yaml"])
def test_custom_resources_have_known_fields(name: str) -> None:
    """Fields are those of the definitions that the controllers publish; a typo would be dropped in silence."""
    (made,) = objects(name)
    assert set(made) == {"apiVersion", "kind", "metadata", "spec"}
    if made["kind"] == "Canary":
        assert set(made["spec"]) == {"targetRef", "service", "analysis"}
        assert set(made["spec"]["analysis"]) <= {"interval", "threshold", "iterations", "webhooks"}
        for hook in made["spec"]["analysis"]["webhooks"]:
            assert set(hook) <= {"name", "type", "url", "timeout", "metadata", "retries"}
            assert all(isinstance(value, str) for value in hook["metadata"].values())
        return
    assert set(made["spec"]) == {"args", "metrics"}
    limits = {"failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit"}
    for metric in made["spec"]["metrics"]:
        conditions = {"name", "initialDelay", "interval", "count", "successCondition", "failureCondition"}
        assert set(metric) <= conditions | limits | {"provider"}
        assert set(metric["provider"].get("web", {})) <= {"url", "headers", "timeoutSeconds", "jsonPath"}


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=lambda value: value if isinstance(value, str) else "")
def test_pods_have_no_rights(name: str, pod: dict[str, Any]) -> None:
    """No pod has a token of the cluster, root, capabilities or a disk of its own; each has limits."""
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }, name  # fmt: skip
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=lambda value: value if isinstance(value, str) else "")
def test_arguments_are_those_of_the_command_line(
    name: str, pod: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every option that a pod is started with exists."""
    (command, *words) = pod["containers"][0]["args"]
    with pytest.raises(SystemExit):
        main([command, "--help"])
    known = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, name


def test_a_job_is_tried_again_only_where_that_may_help() -> None:
    """A confirmed failure and a wrong configuration end the job; a hold counts; a node that went away does not."""
    (job,) = objects("kubernetes/job.yaml")
    rules = job["spec"]["podFailurePolicy"]["rules"]
    actions = {code: rule["action"] for rule in rules for code in rule.get("onExitCodes", {}).get("values", ())}
    assert actions == {20: "FailJob", 4: "FailJob", 5: "FailJob", 10: "Count", 2: "Count", 3: "Count", 30: "Count"}
    assert set(map(int, ExitStatus)) - {0} <= set(actions)
    assert (rules[0]["action"], job["spec"]["template"]["spec"]["restartPolicy"]) == ("Ignore", "Never")


def _wanted(release: str | None) -> Demand:
    return demand(release=release, run_id=None)


@pytest.fixture(params=RUNS)
def answers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server of a run, as the manifest starts it: askers say which release; gives the run's name and the address."""
    run = RUNS[request.param]
    path = seal(tmp_path, run) if run else tmp_path / "verdict.json"
    routes = verdict_routes(Judge(path, _wanted(None), lambda: demand().now))
    with serving(routes, token=TOKEN) as url:
        yield request.param, url


def _fetch(url: str, body: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
    data = json.dumps(body).encode() if body else None
    request = Request(url, data, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=5) as response:
            return response.status, response.read()
    except HTTPError as error:
        return error.code, error.read()


def test_what_argo_rollouts_does(answers: tuple[str, str]) -> None:
    """By the template's own conditions, only a pass goes on, only a failure to roll back aborts, all else pauses."""
    run, url = answers
    (template,) = objects(WEB)
    (metric,) = template["spec"]["metrics"]
    place = metric["provider"]["web"]["url"].partition(":8717")[2]

    def phase(release: str) -> str:
        status, body = _fetch(url + place.replace("{{args.release}}", release))
        return analysis_phase(metric, status, json.loads(body))

    expected = {"pass": "Successful", "fail": "Failed"}.get(run, "Inconclusive")
    assert phase("r2") == expected
    assert phase("r1") == "Inconclusive"


def test_what_flagger_does(answers: tuple[str, str]) -> None:
    """200 to 202 is yes and 4xx is no: a pass promotes, a failure rolls back, all else does neither."""
    run, url = answers
    (canary,) = objects("flagger/canary.yaml")
    hooks = canary["spec"]["analysis"]["webhooks"]

    def yes(release: str) -> set[str]:
        found = set()
        for hook in hooks:
            body = {"name": "web", "namespace": "test", "phase": "Progressing", "metadata": {"release": release}}
            status, text = _fetch(url + hook["url"].partition(":8717")[2], body)
            assert status in {200, *range(400, 429)}
            assert 0 < len(text) < 700
            found |= {hook["type"]} if status <= 202 else set()
        return found

    assert yes("r2") == {"pass": {"confirm-promotion"}, "fail": {"rollback"}}.get(run, set())
    assert yes("r1") == set()


def test_the_templates_ask_what_is_served() -> None:
    """Paths, port and parameters of the examples are those of the server and its service."""
    deployment, service, policy = objects("kubernetes/serve.yaml")
    pod = deployment["spec"]["template"]
    port = pod["spec"]["containers"][0]["ports"][0]
    assert service["spec"]["ports"][0]["port"] == port["containerPort"] == 8717
    assert service["spec"]["selector"] == policy["spec"]["podSelector"]["matchLabels"] == pod["metadata"]["labels"]
    routes = verdict_routes(Judge(Path("none"), _wanted("r2"), time.time))
    text = (DEPLOY / WEB).read_text() + (DEPLOY / "flagger/canary.yaml").read_text()
    asked = re.findall(r":8717(/[\w/]+)", text)
    assert len(asked) == 3
    assert set(asked) <= set(routes)
    probes = pod["spec"]["containers"][0]
    assert {probes[kind]["httpGet"]["path"] for kind in ("livenessProbe", "readinessProbe")} <= set(routes)


@pytest.mark.parametrize(
    ("page", "name"),
    [("argo-rollouts.md", WEB), ("flagger.md", "flagger/canary.yaml"), ("helm.md", "helm/values.yaml")],
)
def test_the_pages_show_what_the_files_say(page: str, name: str) -> None:
    """The first example of a page is a part of the file that it is about."""
    text = (DEPLOY.parent / "docs" / "how-to" / page).read_text()
    shown = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    assert _is_part_of(shown, list(yaml.safe_load_all((DEPLOY / name).read_text())))


def _is_part_of(shown: Any, whole: Any) -> bool:
    """Whether what is shown stands somewhere in the whole, perhaps with less than is there."""
    if _fits(shown, whole):
        return True
    inner = whole.values() if isinstance(whole, dict) else whole if isinstance(whole, list) else ()
    return any(_is_part_of(shown, each) for each in inner)


def _fits(shown: Any, whole: Any) -> bool:
    if isinstance(shown, dict) and isinstance(whole, dict):
        return all(key in whole and _fits(value, whole[key]) for key, value in shown.items())
    if isinstance(shown, list) and isinstance(whole, list):
        return len(shown) == len(whole) and all(map(_fits, shown, whole))
    return bool(shown == whole)


def test_the_pages_tell_every_status_of_a_job() -> None:
    """The table of the page is the policy of the job."""
    (job,) = objects("kubernetes/job.yaml")
    text = (DEPLOY.parent / "docs" / "how-to" / "kubernetes.md").read_text()
    rows = re.findall(r"^\| ([\d ]+) \| .+ \| (.+) \|$", text, re.MULTILINE)
    told = {int(code): fate for codes, fate in rows for code in codes.split()}
    for rule in job["spec"]["podFailurePolicy"]["rules"]:
        for code in rule.get("onExitCodes", {}).get("values", ()):
            assert told[code].startswith("fails at once" if rule["action"] == "FailJob" else "tries once more"), code


def _script(page: str) -> str:
    text = (DEPLOY.parent / "docs" / "how-to" / page).read_text()
    return text.partition("```bash\n")[2].partition("```")[0]


def _run(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A script with programs that say what the test says and note that they were called."""
    for name, body in (
        ("kubectl", 'case "$*" in *exitCode*) printf %s "$CODE" ;; *message*) echo why ;; esac'),
        ("helm", 'echo "$1" >>"$CALLS"; [[ $1 != test || $CODE == 0 ]]'),
    ):
        (folder / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
        (folder / name).chmod(0o755)
    known = {"PATH": f"{folder}:/usr/bin:/bin", "CALLS": str(folder / "calls")}
    command = ["bash", "-eu", "-c", script]
    return subprocess.run(command, env=known | environment, capture_output=True, text=True, check=False, timeout=20)


@pytest.mark.parametrize(
    ("code", "said"), [("0", "promote"), ("20", "rollback"), ("10", "hold"), ("137", "hold"), ("", "hold")]
)
def test_what_the_pipeline_does_with_a_job(tmp_path: Path, code: str, said: str) -> None:
    """The script on the page takes the exit status from the pod, and an empty one for a hold."""
    assert _run(_script("kubernetes.md"), tmp_path, CODE=code).stdout == f"{said}\n"


@pytest.mark.parametrize(
    ("code", "status", "called"),
    [
        ("0", 0, ["upgrade", "test"]),
        ("20", 0, ["upgrade", "test", "rollback"]),
        ("10", 10, ["upgrade", "test"]),
        ("", 10, ["upgrade", "test"]),
    ],
)
def test_what_the_pipeline_does_with_a_helm_test(tmp_path: Path, code: str, status: int, called: list[str]) -> None:
    """The script on the page rolls back after a confirmed failure and nothing else."""
    assert _run(_script("helm.md"), tmp_path, CODE=code).returncode == status
    assert (tmp_path / "calls").read_text().split() == called
