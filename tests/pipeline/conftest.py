"""Workflows run as GitHub runs them: conditions and outputs evaluated, every `run` in real bash, the world faked."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
NEW = "a" * 40
OLD = "b" * 40

FAKES = {
    # `verify` ends as it is told to, one way for the new release and one for the old; `gate` says what it is told to.
    "postdeploy": """
        case "$*" in
          "gate begin"*) echo run-1; end=${FAKE_BEGIN:-0} ;;
          gate*) end=${FAKE_GATE:-0} ;;
          *" --release $FAKE_OLD"*) end=${FAKE_VERIFY_OLD:-0} ;;
          *) end=${FAKE_VERIFY:-0} ;;
        esac
        case $end in
          killed) kill -KILL $$ ;;
          hung) trap 'echo "verifier: refuses to end" >>"$CALLS"' TERM; while :; do sleep 0.02; done ;;
          waiting) trap 'echo "verifier: sealed" >>"$CALLS"; exit 10' TERM; while :; do sleep 0.02; done ;;
          *) exit "$end" ;;
        esac""",
    "deployer": """
        [[ $1 == "${FAKE_DEPLOYER_FAILS:-}" ]] && exit 1
        [[ $1 != previous ]] || echo "${FAKE_PREVIOUS-$FAKE_OLD}" """,
    "git": 'echo "$FAKE_NEW"',
    "curl": """
        cat >/dev/null
        [[ $* != *"/repos/"* ]] || echo '{"id": 5}'
        exit "${FAKE_CURL:-0}" """,
    "python": "",
}
QUIET = ("git", "python")

CONTEXTS = {
    "github.sha": NEW,
    "github.ref_name": "v1.4.2",
    "github.run_id": "7",
    "github.run_attempt": "1",
    "github.server_url": "https://github.example",
    "github.repository": "talkstudio/talkstudio",
    "vars.DEPLOYER": "deployer",
    "github.token": "github-token",
    "secrets.DEPLOY_TOKEN": "token",
    "secrets.PAGE_WEBHOOK": "https://page.example/hook",
}


@dataclass
class Ending:
    """How a step ended and what it left behind."""

    status: int
    output: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Stage:
    """A workspace with the real deploy scripts, and fakes of everything they call."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay it out."""
        for name in ("bin", "work/scripts", "temp"):
            (self.folder / name).mkdir(parents=True)
        shutil.copytree(ROOT / "deploy", self.work / "deploy")
        self._program(self.work / "scripts" / "install-browser.sh", "")
        for name, body in FAKES.items():
            log = "" if name in QUIET else f'echo "{name} $*" >>"$CALLS"\n'
            self._program(self.folder / "bin" / name, log + body)
        self.environment = {
            "PATH": f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "CALLS": str(self.folder / "calls"),
            "FAKE_NEW": NEW,
            "FAKE_OLD": OLD,
            "VERIFY_GRACE": "0.2s",
            "GITHUB_REPOSITORY": "talkstudio/talkstudio",
            "GITHUB_RUN_ID": "7",
        }

    @property
    def work(self) -> Path:
        """Where steps run."""
        return self.folder / "work"

    @property
    def calls(self) -> list[str]:
        """Everything that was called, in order."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def deployed(self) -> list[str]:
        """What the deployer was told to do, in order, without its questions."""
        told = (call.split() for call in self.calls if call.startswith("deployer "))
        return [words[1] for words in told if words[1] != "previous"]

    @property
    def paged(self) -> bool:
        """Whether someone was paged."""
        return any(call.startswith("curl ") and "/repos/" not in call for call in self.calls)

    @property
    def recorded(self) -> list[str]:
        """The states that GitHub was told of the deployment, in order."""
        told = (re.search(r'"state": "(\w+)"', call) for call in self.calls if "/statuses" in call)
        return [found[1] for found in told if found]

    def start(self, script: str, **more: str) -> subprocess.Popen[str]:
        """Start a script as the runner starts a `run` step."""
        path = self.folder / "temp" / "step.sh"
        path.write_text(script)
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            (self.folder / "temp" / name).write_text("")
            more[name] = str(self.folder / "temp" / name)
        return subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(path)],
            cwd=self.work,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread here
        )

    def end(self, process: subprocess.Popen[str]) -> Ending:
        """Wait for a started script."""
        output, _ = process.communicate(timeout=20)
        temp = self.folder / "temp"
        lines = (temp / "GITHUB_OUTPUT").read_text().splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        return Ending(process.returncode, output, outputs, (temp / "GITHUB_STEP_SUMMARY").read_text())

    def run(self, script: str, **more: str) -> Ending:
        """Run a script to its end."""
        return self.end(self.start(script, **more))

    def until(self, call: str) -> None:
        """Wait until something was called."""
        give_up = time.monotonic() + 10
        while not any(call in line for line in self.calls):
            assert time.monotonic() < give_up, f"{call} was never called: {self.calls}"
            time.sleep(0.01)

    @staticmethod
    def _program(path: Path, body: str) -> None:
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)


class Expression:
    """The part of GitHub's expression language that the workflows use: `||`, `&&`, `==`, `!=`, and three functions."""

    STATUS = re.compile(r"\b(always|cancelled|success|failure)\(\)")

    def __init__(self, contexts: Mapping[str, str], *, succeeded: bool = True, cancelled: bool = False) -> None:
        self.contexts = contexts
        self.functions = {"always()": True, "cancelled()": cancelled, "success()": succeeded and not cancelled}

    def condition(self, text: str | None) -> bool:
        """Whether a job or step with this `if` runs: without a status function, `success() &&` stands before it."""
        text = "" if text is None else str(text)
        if self.STATUS.search(text):
            return bool(self.value(text))
        return self.functions["success()"] and (not text or bool(self.value(text)))

    def fill(self, text: object) -> str:
        """Replace every ``${{ }}`` in a value."""
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(self.value(match[1])), str(text))

    def value(self, text: str) -> str | bool:
        """Evaluate an expression."""
        for operator in ("||", "&&"):
            left, found, right = text.partition(operator)
            if found:
                first = self.value(left)
                return (first or self.value(right)) if operator == "||" else (first and self.value(right))
        for operator in ("==", "!="):
            left, found, right = text.partition(operator)
            if found:
                return (self.value(left) == self.value(right)) is (operator == "==")
        return self._atom(text.strip())

    def _atom(self, word: str) -> str | bool:
        if word in self.functions:
            return self.functions[word]
        if word.startswith("'"):
            return word.strip("'")
        assert re.fullmatch(r"[a-z_]+(\.[A-Za-z_]+)+", word), f"not an expression that this evaluator knows: {word}"
        return self.contexts.get(word, "")


@dataclass
class Run:
    """One run of a workflow."""

    stage: Stage
    workflow: dict[str, Any]
    contexts: dict[str, str]
    lost: frozenset[str] = frozenset()
    """Jobs whose runner vanishes when they have done their work: they failed, and nobody hears what they put out."""
    cancelled_in: str = ""
    """The job at whose very end, with everything done and put out, somebody cancels the run."""

    cancelled_while: str = ""
    """The step during which somebody cancels the run: its process, and that alone, gets SIGINT."""

    results: dict[str, str] = field(default_factory=dict)
    endings: dict[tuple[str, str], Ending] = field(default_factory=dict)
    cancelled: bool = False

    def go(self) -> Run:
        """Run the jobs in an order that their needs allow, which is the order in which they are written."""
        for name, job in self.workflow["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            assert all(need in self.results for need in needs), f"{name} is written before what it needs"
            visible = {key: value for key, value in self.contexts.items() if _seen(key, needs)}
            succeeded = all(self.results[need] == "success" for need in self._ancestors(needs))
            words = Expression(visible, succeeded=succeeded, cancelled=self.cancelled)
            self.results[name] = self._job(name, job, visible) if words.condition(job.get("if")) else "skipped"
            self.contexts[f"needs.{name}.result"] = self.results[name]
        return self

    def _ancestors(self, needs: list[str]) -> set[str]:
        found = set(needs)
        for need in needs:
            more = self.workflow["jobs"][need].get("needs", [])
            found |= self._ancestors([more] if isinstance(more, str) else more)
        return found

    def _job(self, name: str, job: dict[str, Any], visible: dict[str, str]) -> str:
        contexts = dict(visible)
        environment = {key: Expression(contexts).fill(value) for key, value in job.get("env", {}).items()}
        contexts |= {f"env.{key}": value for key, value in environment.items()}
        result, cut_short = "success", False
        for step in job["steps"]:
            words = Expression(contexts, succeeded=result == "success", cancelled=cut_short)
            if "run" not in step or not words.condition(step.get("if")):
                continue
            own = {key: words.fill(value) for key, value in step.get("env", {}).items()}
            ending = self.endings[name, step["name"]] = self._step(step, environment | own)
            result = result if ending.status == 0 else "failure"
            cut_short = cut_short or step["name"] == self.cancelled_while
            contexts |= {f"steps.{step.get('id')}.outputs.{key}": value for key, value in ending.outputs.items()}
        if name in self.lost:
            return "failure"
        for key, value in job.get("outputs", {}).items():
            self.contexts[f"needs.{name}.outputs.{key}"] = Expression(contexts).fill(value)
        self.cancelled = self.cancelled or name == self.cancelled_in
        return "cancelled" if name == self.cancelled_in else result

    def _step(self, step: dict[str, Any], environment: dict[str, str]) -> Ending:
        if step["name"] != self.cancelled_while or self.cancelled:
            return self.stage.run(step["run"], **environment)
        process = self.stage.start(step["run"], **environment)
        self.stage.until("postdeploy verify")
        time.sleep(0.1)  # until the verifier listens
        process.send_signal(signal.SIGINT)
        self.cancelled = True
        return self.stage.end(process)


def _seen(key: str, needs: list[str]) -> bool:
    """A job sees the `needs` context of the jobs that it names, and of no others."""
    return not key.startswith("needs.") or key.split(".")[1] in needs


def block(page: Path, language: str, number: int = 0) -> str:
    """A fenced block of a page."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return found[number]


def load(name: str) -> dict[str, Any]:
    """Read a workflow; YAML 1.1 takes the key `on` for true."""
    document: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    document["on"] = document.pop(True)
    return document


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Faked surroundings for a step."""
    return Stage(tmp_path / "stage")


@pytest.fixture
def play(stage: Stage) -> Callable[..., Run]:
    """Run a workflow: ``play("deploy_production.yml", verify="20", deployer_fails="promote")``."""

    def go(
        workflow: str,
        *,
        contexts: Mapping[str, str] = MappingProxyType({}),
        lost: str = "",
        cancelled_in: str = "",
        cancelled_while: str = "",
        **fakes: str,
    ) -> Run:
        stage.environment |= {f"FAKE_{name.upper()}": value for name, value in fakes.items()}
        known = {**CONTEXTS, **contexts}
        return Run(stage, load(workflow), known, frozenset(lost.split()), cancelled_in, cancelled_while).go()

    return go


@pytest.fixture
def conditions() -> Callable[..., bool]:
    """Evaluate the `if` of one of the production jobs."""
    jobs = load("deploy_production.yml")["jobs"]

    def go(job: str, contexts: Mapping[str, str], *, succeeded: bool, cancelled: bool) -> bool:
        return Expression(contexts, succeeded=succeeded, cancelled=cancelled).condition(jobs[job].get("if"))

    return go


@pytest.fixture
def workflow() -> Callable[[str], dict[str, Any]]:
    """Read a workflow by its name."""
    return load
