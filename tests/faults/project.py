"""A folder with targets.yaml and suites, verified by a process of its own; its run, and what the gate says of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, Final

from tests.faults.expected import NO_FILE, STARTED, Expected, Observed
from tests.warm_python import WarmProcess, WarmPython, warm_python

__all__ = ["DECLARED", "Project", "Run", "ask_gate", "clean_environment"]

DECLARED: Final = "- {name: declared, get: 'api:/ok/declared', expect: {status: 200}}"

_NEEDED: Final = ("postdeploy.plugin.hooks", "pytest_timeout", "pytest_rerunfailures")


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a run: nothing of the pytest that runs the suite; no plugin comes by itself."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    for name in ("POSTDEPLOY_LAUNCH", "PYTHONDONTWRITEBYTECODE"):  # without bytecode each run would compile everything
        known.pop(name, None)
    return known | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | more


def ask_gate(folder: Path, *more: str, target: str = "local", step: tuple[str, ...] = ()) -> tuple[int, str]:
    """The gate's status and what it says about the verdict in ``reports`` of a folder; ``step`` may be ``check``."""
    words = ("-m", "postdeploy", "gate", *step, f"--target={target}", *more)
    asked = warm_python().run(words, cwd=folder, env=clean_environment(), timeout=30)
    return asked.status, asked.out + asked.err


@dataclass(slots=True)
class Run:
    """A run that has ended; ``out`` is what it said on both streams."""

    folder: Path
    status: int
    out: str
    compare: Callable[[Expected, Observed, str], None]
    release: str | None = None
    gate_for: str | None = None
    gate_said: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """What verdict.json says; nothing where there is none."""
        path = self.folder / "reports" / "verdict.json"
        return json.loads(path.read_bytes()) if path.is_file() else {}

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The whole records of the journal, or those of a kind."""
        text = (self.folder / "reports" / "evidence.jsonl").read_text(encoding="utf-8")
        records = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [record for record in records if kind in {None, record["record"]}]

    def outcomes(self) -> dict[str, str]:
        """The outcome of each check by its name."""
        return {check["name"]: check["outcome"] for check in self.document["checks"]}

    def gate(self) -> int:
        """What the gate says of this run; of the one named in ``gate_for`` where that is set."""
        asked = {"--release": self.release, "--run-id": self.gate_for}
        status, self.gate_said = ask_gate(self.folder, *(f"{name}={value}" for name, value in asked.items() if value))
        return status

    def observed(self, *, gate: bool = True) -> Observed:
        """How it ended, and with ``gate`` what that says."""
        document = self.document
        state = document.get("state")
        verdict = NO_FILE if state is None else STARTED if state == "started" else document["verdict"]
        judged = self.gate() if gate else None
        return Observed(verdict, document.get("reason"), document.get("action"), self.status, judged)

    def require(self, expected: Expected) -> None:
        """It ended as it must; what was observed goes into the table of all rows."""
        observed = self.observed(gate=expected.gate is not None)
        told = f"{self.out[-6000:]}\n{self.gate_said}\n{json.dumps(self.document)[:2000]}"
        self.compare(expected, observed, told)


class Project:
    """Its target is ``local``, with the one service ``api``.

    Args:
        folder: an empty one.
        url: of the service.
        workers: 0, or how many of xdist's.
        compare: what ``Run.require`` compares with.
    """

    def __init__(
        self, folder: Path, url: str, workers: int, compare: Callable[[Expected, Observed, str], None]
    ) -> None:
        self.folder = folder
        self.reports = folder / "reports"
        self.url = url
        self.workers = workers
        self.compare = compare
        self.write("pytest.toml", '[pytest]\ntestpaths = ["suites"]\nstrict = true\n')
        self.target()

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def target(self, more: str = "", *, services: str = "", policy: str = "deadline: 30s") -> None:
        """Write targets.yaml; ``more`` are keys of the target, ``services`` more of them (``, web: URL``)."""
        text = dedent(f"""\
            targets:
              local:
                services: {{api: {self.url}{services}}}
                access: read-write
                policy: {{confirm: {{attempts: 2, spacing: 50ms}}, {policy}}}
            """)
        self.write("targets.yaml", text + indent(dedent(more), "    "))

    def suite(self, text: str = DECLARED, name: str = "checks.yaml") -> Path:
        """Write a declared suite; ``text`` is the list of checks."""
        return self.write(f"suites/{name}", "checks:\n" + indent(dedent(text).strip(), "  ") + "\n")

    def tests(self, text: str, name: str = "test_it.py") -> Path:
        """Write Python tests."""
        return self.write(f"suites/{name}", "import pytest\n" + dedent(text))

    def conftest(self, text: str) -> Path:
        """Write the conftest of the project."""
        return self.write("conftest.py", "import pytest\n" + dedent(text))

    def healthy(self) -> None:
        """Write a suite that passes: a declared check, ``test_a`` and ``test_b``."""
        self.suite()
        self.tests("""
            def test_a(api):
                assert api.get("/ok/a").status_code == 200

            def test_b(api):
                assert api.get("/ok/b").status_code == 200
        """)

    def pytest(self, *arguments: str, target: str | None = "local", plugins: tuple[str, ...] = _NEEDED) -> list[str]:
        """The command line of ``pytest --target=local`` with as few plugins as there can be."""
        named = [*plugins, *(("xdist.plugin",) if self.workers else ())]
        loaded = [word for name in named for word in ("-p", name)]
        spread = [f"-n{self.workers}"] if self.workers else []
        chosen = [f"--target={target}"] if target is not None else []
        return [sys.executable, "-m", "pytest", *loaded, *spread, *chosen, *arguments]

    def verify(self, *arguments: str, pytest: tuple[str, ...] = (), target: str = "local") -> list[str]:
        """The command line of ``postdeploy verify``; ``pytest`` stands after ``--``."""
        passed_on = [*([f"-n{self.workers}"] if self.workers else []), *pytest]
        end = ["--", *passed_on] if passed_on else []
        return [sys.executable, "-m", "postdeploy", "verify", target, *arguments, *end]

    def start(self, command: list[str], env: Mapping[str, str] | None = None, **more: Any) -> subprocess.Popen[str]:
        """Start a command in the folder, for a test that does something to it."""
        given: dict[str, Any] = {
            "cwd": self.folder,
            "env": clean_environment(**(env or {})),
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "text": True,
            "errors": "replace",
        }
        return subprocess.Popen(command, **given | more)

    def ended(self, process: subprocess.Popen[str], timeout: float = 60) -> Run:
        """The run of a process that was started, once it has ended."""
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Run(self.folder, process.returncode, out or "", self.compare)

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        python: WarmPython | None = None,
        timeout: float = 60,
        **how: Any,
    ) -> Run:
        """Run ``pytest --target=local`` to its end, forked from ``python``; ``how`` is what ``pytest`` takes."""
        command, environment = self.pytest(*arguments, **how), clean_environment(**(env or {}))
        if not WarmPython.fits(environment):
            return self.ended(self.start(command, env), timeout)
        server = python or warm_python()
        ended = server.run(command[1:], cwd=self.folder, env=environment, timeout=timeout, both=True)
        return Run(self.folder, ended.status, ended.out, self.compare)

    def fork(self) -> WarmProcess:
        """Start ``pytest --target=local`` in a process group of its own, which its workers join; nobody hears it."""
        with Path(os.devnull).open("r+b") as none:
            streams = (none.fileno(),) * 3
            return warm_python().fork(self.pytest()[1:], str(self.folder), clean_environment(), streams, group=0)

    def launch(self, *arguments: str, env: Mapping[str, str] | None = None, **how: Any) -> Run:
        """Run ``postdeploy verify local`` to its end; ``how`` is what ``verify`` takes."""
        return self.ended(self.start(self.verify(*arguments, **how), env))
