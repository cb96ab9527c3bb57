"""`make rollback-demo`, from its first release to its last, with real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """An empty cluster of the test's own, in which the releases that the story breaks are broken."""
    broken = [word for release in ("v1.2.0", "v1.3.0") for word in ("--fault", f"{request.param}@{release}")]
    command = [sys.executable, "-m", "demo.cluster", *broken]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    public, canary = process.stdout.readline().split()[-2:]
    yield public, canary
    process.terminate()
    process.communicate(timeout=10)


def told(folder: Path, fault: str, cluster: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    """Tell the story to its end."""
    command = [sys.executable, "-m", "demo.rollback", fault, "--folder", str(folder), "--cluster", *cluster]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def verdict(folder: Path, name: str) -> tuple[str, str, str]:
    """Release, verdict and action of a run."""
    document = json.loads((folder / "reports" / name / "verdict.json").read_text())
    return document["release"]["expected"], document["verdict"], document["action"]


def state(url: str) -> Any:
    """What the cluster says of itself."""
    return httpx2.get(f"{url}/_cluster/", trust_env=False).json()


@pytest.mark.parametrize("cluster", ["api-500"], indirect=True)
def test_bad_releases_are_rolled_back_and_nobody_loses_a_request(tmp_path: Path, cluster: tuple[str, str]) -> None:
    """Blue/green and canary: found out, rolled back, the rollback verified; the servers say who serves in the end."""
    done = told(tmp_path / "work", "api-500", cluster)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n  0 lost requests of " in done.stdout
    reports = tmp_path / "work"
    assert verdict(reports, "blue-green-good") == ("v1.1.0", "pass", "promote")
    assert verdict(reports, "blue-green-bad") == ("v1.2.0", "fail", "rollback")
    assert verdict(reports, "blue-green-bad/rollback") == ("v1.1.0", "pass", "promote")
    assert verdict(reports, "canary-mixed") == ("v1.3.0", "inconclusive", "hold")
    assert verdict(reports, "canary-bad") == ("v1.3.0", "fail", "rollback")
    assert verdict(reports, "canary-bad/rollback") == ("v1.1.0", "pass", "promote")
    assert verdict(reports, "canary-good") == ("v1.4.0", "pass", "promote")
    ended = state(cluster[0])
    assert ended["stable"] == "v1.4.0"
    assert {slot["release"]: slot["percent"] for slot in ended["slots"].values()} == {"v1.1.0": 0, "v1.4.0": 100}
    served = {httpx2.get(f"{cluster[0]}/build-info.json", trust_env=False).json()["commit"] for _ in range(20)}
    assert served == {"v1.4.0"}


@pytest.mark.parametrize("cluster", ["no-security-headers"], indirect=True)
def test_a_fault_that_nobody_notices_is_told(tmp_path: Path, cluster: tuple[str, str]) -> None:
    """Where the bad release is not rolled back, the demo says so, goes no further and is red."""
    done = told(tmp_path / "work", "no-security-headers", cluster)
    assert done.returncode == 1
    assert "✗ NOT SO: the pipeline ended with 0: rolled back, and the rollback verified" in " ".join(
        done.stdout.split()
    )
    assert "It did NOT all go as it should." in done.stdout
    assert state(cluster[0])["stable"] == "v1.2.0"


@pytest.mark.parametrize(("fault", "sentence"), [("api-50", "did you mean api-500?"), ("self-signed", "needs TLS")])
def test_a_fault_that_cannot_be_is_refused(fault: str, sentence: str) -> None:
    """A wrong fault on the command line is told at once."""
    command = [sys.executable, "-m", "demo.rollback", fault]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    assert (done.returncode, sentence in done.stderr) == (2, True)
