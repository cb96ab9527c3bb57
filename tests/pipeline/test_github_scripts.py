"""deploy/github_deployment.sh and deploy/attestation.sh: what GitHub gets to read, from a server in its place."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.sealed import FAILED, PASSED, seal

if TYPE_CHECKING:
    from tests.pipeline.conftest import Stage

COMMIT = "c" * 40


class GitHub:
    """Answers as the REST API of deployments does, and keeps what it was sent."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.status = 201
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.asked.append((self.path, self.headers["authorization"], json.loads(body)))
                answer = json.dumps({"url": f"https://api.example{self.path}/42", "id": 42}).encode()
                self.send_response(outer.status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def github(stage: Stage) -> Iterator[GitHub]:
    """GitHub's place, which the scripts reach by the real curl."""
    server = GitHub()
    (stage.folder / "bin" / "curl").unlink()
    stage.environment |= {
        "GITHUB_API_URL": f"http://127.0.0.1:{server.server.server_port}",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_TOKEN": "github-token",
        "GITHUB_SHA": "d" * 40,
    }
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.mark.parametrize(("release", "ref"), [(COMMIT, COMMIT), ("v1.4.2", "d" * 40), ("", "d" * 40)])
def test_a_deployment_is_created_at_the_commit_that_was_deployed(
    stage: Stage, github: GitHub, release: str, ref: str
) -> None:
    """Nothing is merged and no check is waited for; a release that is no commit stands in the description."""
    ending = stage.run(f'test "$(deploy/github_deployment.sh begin production "{release}")" = 42')
    assert ending.status == 0, ending.output
    (path, token, created), (then, _, status) = github.asked
    assert (path, token) == ("/repos/talkstudio/talkstudio/deployments", "Bearer github-token")
    assert created == {
        "ref": ref,
        "environment": "production",
        "auto_merge": False,
        "required_contexts": [],
        "description": release or "whatever is live",
    }
    assert (then, status["state"]) == ("/repos/talkstudio/talkstudio/deployments/42/statuses", "in_progress")


def test_a_deployment_that_there_is_is_told_itself(stage: Stage, github: GitHub) -> None:
    """With an id nothing is created."""
    assert stage.run('test "$(deploy/github_deployment.sh begin 7 r1)" = 7').status == 0
    assert [path for path, _, _ in github.asked] == ["/repos/talkstudio/talkstudio/deployments/7/statuses"]


@pytest.mark.parametrize(
    ("ruling", "state"),
    [
        ("promote pass", "success"),
        ("rollback fail", "failure"),
        ("hold fail", "failure"),
        ("hold inconclusive", "error"),
        ("hold pass", "error"),
        ("promote inconclusive", "error"),
        ("'' ''", "error"),
    ],
)
def test_the_state_follows_from_action_and_verdict(stage: Stage, github: GitHub, ruling: str, state: str) -> None:
    """Success for what is promoted, failure for what is broken, error for all the rest, outputs that never came too."""
    assert stage.run(f"deploy/github_deployment.sh end 7 {ruling} text").status == 0
    ((path, _, sent),) = github.asked
    assert path.endswith("/deployments/7/statuses")
    assert sent == {
        "state": state,
        "description": "text",
        "log_url": "https://github.example/talkstudio/talkstudio/actions/runs/7",
    }


def test_a_text_is_cut_and_cannot_break_out(stage: Stage, github: GitHub) -> None:
    """GitHub takes 140 characters; quotes, backslashes and control characters are text."""
    text = 'a "quoted" \\ word\n\x1b' + "한" * 200
    assert stage.run('deploy/github_deployment.sh end 7 hold fail "$TEXT"', TEXT=text, LC_ALL="C.UTF-8").status == 0
    ((_, _, sent),) = github.asked
    assert sent["description"] == 'a "quoted" \\ word  ' + "한" * 121
    assert sent["state"] == "failure"


def test_the_token_is_no_argument(stage: Stage) -> None:
    """Arguments can be read by every process."""
    stage.run("deploy/github_deployment.sh end 7 hold fail text", GITHUB_TOKEN="github-token")
    (call,) = stage.calls
    assert "github-token" not in call


@pytest.mark.parametrize(
    ("words", "token", "status", "sentence"),
    [
        ("", "t", 64, "usage: github_deployment.sh"),
        ("begin", "t", 64, "usage: github_deployment.sh begin"),
        ("end production hold fail x", "t", 64, "usage: github_deployment.sh end"),
        ("begin production r1", "", 78, "GITHUB_TOKEN and GITHUB_REPOSITORY are not set"),
    ],
)
def test_a_wrong_call_tells_nothing(stage: Stage, words: str, token: str, status: int, sentence: str) -> None:
    """Wrong words and a missing permission are told apart."""
    ending = stage.run(f"deploy/github_deployment.sh {words}", GITHUB_TOKEN=token)
    assert (ending.status, stage.calls) == (status, [])
    assert sentence in ending.output


def test_a_refusal_is_an_error(stage: Stage, github: GitHub) -> None:
    """Where GitHub refuses, the script fails and prints no id."""
    github.status = 422
    ending = stage.run("id=$(deploy/github_deployment.sh begin production r1)")
    assert ending.status == 22


def attested(stage: Stage) -> tuple[Any, str]:
    """Predicate and subjects that the script makes of the reports."""
    stage._program(stage.folder / "bin" / "python", f'exec {sys.executable} "$@"')
    assert stage.run("deploy/attestation.sh").status == 0
    reports = stage.work / "reports"
    return json.loads((reports / "predicate.json").read_text()), (reports / "subjects.txt").read_text()


@pytest.mark.parametrize(("run", "result"), [(PASSED, "PASSED"), (FAILED, "FAILED")])
def test_what_is_attested_is_the_verdict(stage: Stage, run: Any, result: str) -> None:
    """The predicate is in-toto's test result; the subjects have the digests of the very files."""
    (stage.work / "reports").mkdir()
    path = seal(stage.work / "reports", run)
    predicate, subjects = attested(stage)
    assert (predicate["result"], "_type" in predicate) == (result, False)
    digests = {name: digest for digest, name in (line.split("  ") for line in subjects.splitlines())}
    assert digests["verdict.json"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert digests["evidence.jsonl"] == hashlib.sha256(path.with_name("evidence.jsonl").read_bytes()).hexdigest()
    assert all(re.fullmatch("[0-9a-f]{64}  [^ ]+", line) for line in subjects.splitlines())


def test_an_image_is_a_subject(stage: Stage) -> None:
    """A release that is named by an image's digest can be asked for the attestation by that digest."""
    (stage.work / "reports").mkdir()
    path = seal(stage.work / "reports")
    document = json.loads(path.read_text())
    document["release"]["expected"] = "sha256:" + "e" * 64
    path.write_text(json.dumps(document))
    assert f"{'e' * 64}  sha256:{'e' * 64}\n" in attested(stage)[1]


def test_what_is_not_sealed_is_not_attested(stage: Stage) -> None:
    """A verdict that was only started makes no predicate."""
    stage._program(stage.folder / "bin" / "python", f'exec {sys.executable} "$@"')
    reports: Path = stage.work / "reports"
    reports.mkdir()
    (reports / "verdict.json").write_text('{"state": "started"}')
    ending = stage.run("deploy/attestation.sh")
    assert (ending.status, "not sealed" in ending.output) == (1, True)
    assert not (reports / "predicate.json").exists()
