"""A real scheduler and real workers, each on a machine of its own: one is killed, one is cut off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest

from postdeploy.cli import main
from tests.docs.blocks import read
from tests.vantages.network import Machines, machines

_BIN: Final = Path(sys.executable).parent


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Vantages eu, us with two workers, and ap; their certificates are made as the documentation says."""
    if os.geteuid() != 0:
        pytest.skip("needs root: every worker has a network namespace")
    page = read("how-to/verify-from-several-vantages.md")
    certificates = next(block for block in page.split("```bash\n")[1:] if "openssl" in block).partition("```")[0]
    with machines(tmp_path_factory.mktemp("cluster"), certificates) as made:
        for name, vantage in (("eu", "eu"), ("us1", "us"), ("us2", "us"), ("ap", "ap")):
            made.start(name, vantage)
        yield made


@pytest.fixture
def project(cluster: Machines, tmp_path: Path) -> Path:
    """Targets and a suite whose checks the target answers."""
    port = cluster.target.server_address[1]
    (tmp_path / "suites").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.pytest]\ntestpaths = ["suites"]\n')
    (tmp_path / "targets.yaml").write_text(
        dedent(f"""\
            targets:
              far:
                services: {{api: http://{cluster.host}:{port}}}
                policy:
                  deadline: 40s
                  confirm: {{spacing: 100ms}}
                  vantages: [eu, us, ap]
                  quorum: 2 of 3
            """)
    )
    (tmp_path / "suites" / "checks.yaml").write_text(
        dedent("""\
            checks:
              - {name: everywhere, get: "api:/check", timeout: 30s, expect: {status: 200}}
              - {name: in Asia, get: "api:/asia", severity: minor, vantages: ap, expect: {status: 200}}
            """)
    )
    cluster.target.seen.clear()
    cluster.target.broken.clear()
    cluster.target.held.clear()
    cluster.target.arrived.clear()
    return tmp_path


class _Run:
    """``postdeploy vantages`` in a process of its own."""

    def __init__(self, cluster: Machines, project: Path, *more: str) -> None:
        files = (f"--tls-{part}={cluster.folder / name}" for part, name in
                 (("ca", "ca.pem"), ("cert", "client.pem"), ("key", "client.key")))  # fmt: skip
        command = [str(_BIN / "postdeploy"), "vantages", "far", f"--scheduler={cluster.scheduler}", *files, *more]
        self.reports = project / "reports"
        self.process = subprocess.Popen(
            command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def end(self) -> tuple[int, dict[str, Any]]:
        """Its exit status and verdict, which the gate believes."""
        said, _ = self.process.communicate(timeout=120)
        document = json.loads((self.reports / "verdict.json").read_text())
        assert document["state"] == "sealed", said
        gate = main(["gate", f"--verdict={self.reports / 'verdict.json'}", "--target=far"])
        assert gate == self.process.returncode, said
        return self.process.returncode, document


def _vantages(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["name"], each["state"], each["verdict"]) for each in document["vantages"]]


def test_every_vantage_is_asked(cluster: Machines, project: Path) -> None:
    """Each from its own machine, each check where it belongs; the reports of all are one verdict."""
    status, document = _Run(cluster, project).end()
    assert (status, document["reason"]) == (0, "all_required_passed"), document["vantages"]
    assert _vantages(document) == [(name, "answered", "pass") for name in ("eu", "us", "ap")]
    asked = {(client, path) for client, path in cluster.target.seen if path != "/"}
    assert {client for client, path in asked if path == "/check"} == {
        cluster.addresses[name] for name in ("eu", "us1", "ap")
    }
    assert {client for client, path in asked if path == "/asia"} == {cluster.addresses["ap"]}


def test_two_of_three_see_a_failure(cluster: Machines, project: Path) -> None:
    """It is confirmed at each, and rolled back."""
    cluster.target.broken = {cluster.addresses[name]: 500 for name in ("eu", "ap")}
    status, document = _Run(cluster, project).end()
    assert (status, document["verdict"], document["action"]) == (20, "fail", "rollback"), document["vantages"]
    assert document["summary"].endswith("(at eu and ap)")
    assert document["checks"][0]["outcomes"] == {"eu": "failed", "us": "passed", "ap": "failed"}
    assert main(["report", f"--verdict={project / 'reports' / 'verdict.json'}", "--format=all"]) == 0
    assert "failed at eu, ap; passed at us" in (project / "reports" / "junit.xml").read_text()


def test_a_worker_that_is_killed_is_replaced(cluster: Machines, project: Path) -> None:
    """Its run dies with it; another worker of the vantage makes a run of its own, and everything is complete."""
    release = cluster.target.held.setdefault(cluster.addresses["us1"], cluster.target.arrived.__class__())
    run = _Run(cluster, project)
    assert cluster.target.arrived.wait(60)
    cluster.kill("us1")
    status, document = run.end()
    release.set()
    assert (status, document["reason"]) == (0, "all_required_passed"), document["vantages"]
    assert _vantages(document) == [(name, "answered", "pass") for name in ("eu", "us", "ap")]
    names = {each["name"]: each["run"]["id"].removeprefix(document["run"]["id"]) for each in document["vantages"]}
    assert names == {"eu": ".eu.1", "us": ".us.2", "ap": ".ap.1"}
    assert _gone(f"{document['run']['id']}.us.1")


def test_a_machine_that_is_cut_off(cluster: Machines, project: Path) -> None:
    """It is lost, which says nothing of the target; two others are enough, and its place is named."""
    release = cluster.target.held.setdefault(cluster.addresses["ap"], cluster.target.arrived.__class__())
    run = _Run(cluster, project, "--silence=4s")
    assert cluster.target.arrived.wait(60)
    cluster.cut("ap")
    status, document = run.end()
    release.set()
    cluster.cut("ap", up=True)
    assert (status, document["verdict"], document["reason"]) == (0, "pass", "passed_with_warnings"), document[
        "vantages"
    ]
    assert _vantages(document)[2] == ("ap", "lost", "inconclusive")
    assert document["vantages"][2]["reason"] == "worker_lost"
    assert "has been silent for" in document["warnings"][0]


def test_a_stranger_is_not_let_in(cluster: Machines, project: Path) -> None:
    """Whose certificate is of another authority: nothing is asked, and an older verdict does not stay."""
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout {0}.key -out {0}.pem"
    )
    for name in ("ca", "client"):
        subprocess.run(command.format(name).split(), cwd=project, check=True, capture_output=True)
    files = (
        f"--tls-ca={project / 'ca.pem'}",
        f"--tls-cert={project / 'client.pem'}",
        f"--tls-key={project / 'client.key'}",
    )
    run = _Run(cluster, project, *files, "--wait=2s")
    said, _ = run.process.communicate(timeout=60)
    assert (run.process.returncode, "there is no scheduler at" in said) == (10, True), said
    assert json.loads((run.reports / "verdict.json").read_text())["state"] == "started"
    later = {cluster.addresses["ap"]}  # the run of a machine that was cut off may go on when it is back
    assert {client for client, _ in cluster.target.seen} <= later


def _gone(run_id: str) -> bool:
    """Whether no process works on this run any more, soon."""
    for _ in range(100):
        lines = (path for path in Path("/proc").glob("[0-9]*/cmdline"))
        if not any(run_id.encode() in _content(path) for path in lines):
            return True
        time.sleep(0.2)
    return False


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
