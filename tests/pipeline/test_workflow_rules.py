"""Rules that every workflow keeps, read from the files; and the linters' word on them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))
NAMES = ["ci.yml", "deploy_production.yml", "deploy_staging.yml", "synthetic.yml"]
BIN = Path(sys.executable).parent


MORE = {
    "deploy_production.yml: attest": {"id-token": "write", "attestations": "write"},
    "deploy_production.yml: record": {"deployments": "write"},
}
"""What a job may do beyond reading the repository: each of them one thing, without a secret of ours in it."""


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every job of every workflow."""
    for path in FILES:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield f"{path.name}: {name}", job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step of every workflow."""
    for name, job in jobs():
        for step in job["steps"]:
            yield f"{name}: {step.get('name')}", step


def test_these_are_the_workflows() -> None:
    """The rules below are about all four workflows."""
    assert [path.name for path in FILES] == NAMES


def test_every_action_is_pinned_by_hash_and_says_its_version() -> None:
    """A tag can be moved to other code, a commit cannot."""
    for path in FILES:
        for line in path.read_text().splitlines():
            if "uses:" in line:
                assert re.search(r"uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{path.name}: {line}"


def test_no_expression_is_pasted_into_a_script() -> None:
    """Values reach scripts through the environment, where they cannot become code."""
    assert [name for name, step in steps() if "${{" in step.get("run", "")] == []


def test_every_job_has_an_end_and_few_permissions() -> None:
    """Nothing runs for GitHub's six hours, nothing may write to the repository, and what may do more has no secrets."""
    for name, job in jobs():
        assert job["timeout-minutes"] <= 45, name
        assert job["permissions"] == {"contents": "read"} | MORE.get(name, {}), name
        assert name not in MORE or ("secrets." not in str(job) and "environment" not in job), name
    assert all(yaml.safe_load(path.read_text())["permissions"] == {} for path in FILES)


def test_no_checkout_leaves_a_credential_behind() -> None:
    """The repository's token does not stay on disk for later steps."""
    checkouts = [step for _, step in steps() if "actions/checkout" in step.get("uses", "")]
    assert len(checkouts) == 14
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_only_ci_uses_a_cache() -> None:
    """Nothing that holds production's secrets runs what some other run has left in a cache."""
    assert all("cache" not in step.get("with", {}) or name.startswith("ci.yml") for name, step in steps())


def test_verifiers_replace_their_shell_and_leave_reports_whatever_happens() -> None:
    """Each job that verifies does it in an exec'd step, reads the status in a later one, and uploads always."""
    found = 0
    for name, job in jobs():
        verifies = [step for step in job["steps"] if "deploy/verify.sh" in step.get("run", "")]
        if not verifies:
            continue
        found += 1
        assert [step["run"].startswith("exec ") for step in verifies] == [True], name
        after = job["steps"][job["steps"].index(verifies[0]) + 1 :]
        assert [step["if"] for step in after] == ["always()", "always()"], name
        assert "actions/upload-artifact" in after[-1]["uses"], name
        assert after[-1]["with"]["path"] == "reports/", name
    assert found == 4


def test_deployments_wait_for_each_other_and_are_not_cut_off() -> None:
    """Two runs never move the same traffic, and a newer one does not interrupt an older one."""
    for target in ("staging", "production"):
        concurrency = yaml.safe_load((ROOT / f".github/workflows/deploy_{target}.yml").read_text())["concurrency"]
        assert concurrency == {"group": target, "cancel-in-progress": False}


def test_what_follows_the_shift_of_traffic_waits_for_no_reviewer(workflow: Callable[[str], dict[str, Any]]) -> None:
    """Only the deployment itself is in the environment that may have reviewers."""
    found = workflow("deploy_production.yml")["jobs"].items()
    environments = {name: job.get("environment") for name, job in found if f"deploy_production.yml: {name}" not in MORE}
    assert environments.pop("deploy") == "production"
    assert set(environments.values()) == {"production-unattended"}


def test_the_proof_that_the_gate_reads_is_this_runs_own(workflow: Callable[[str], dict[str, Any]]) -> None:
    """Promote fetches, by the same name, what verify kept; the attempt is part of it, so old proof is not found."""
    found = workflow("deploy_production.yml")["jobs"]
    kept = next(step for step in found["verify"]["steps"] if step.get("name") == "Keep the reports")
    fetched = next(step for step in found["promote"]["steps"] if step.get("name") == "Fetch the proof")
    attested = next(step for step in found["attest"]["steps"] if step.get("name") == "Fetch the proof")
    assert attested == fetched
    assert kept["with"]["name"] == fetched["with"]["name"] == "reports-${{ env.RUN_ID }}"
    assert found["verify"]["env"]["RUN_ID"] == found["promote"]["env"]["RUN_ID"]
    assert found["verify"]["env"]["RUN_ID"].endswith("${{ github.run_attempt }}")


def test_production_is_released_by_a_tag_or_by_hand(workflow: Callable[[str], dict[str, Any]]) -> None:
    """The two ways in, and no others; staging has one; monitoring has a clock and a button."""
    assert workflow("deploy_production.yml")["on"].keys() == {"push", "workflow_dispatch"}
    assert workflow("deploy_production.yml")["on"]["push"] == {"tags": ["v*.*.*"]}
    assert workflow("deploy_staging.yml")["on"] == {"push": {"branches": ["main"]}}
    assert workflow("synthetic.yml")["on"].keys() == {"schedule", "workflow_dispatch"}


@pytest.mark.parametrize(
    "command",
    [
        ["actionlint", f"-shellcheck={BIN / 'shellcheck'}", "-pyflakes=", *FILES],
        ["zizmor", "--offline", "--no-ignores", "--no-config", "--persona=pedantic", "--no-progress", *FILES],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *FILES],
        ["check-jsonschema", "--builtin-schema", "custom.github-workflows-require-timeout", *FILES],
        ["shellcheck", "--norc", "--external-sources", *SCRIPTS],
    ],
    ids=["actionlint", "zizmor", "schema", "timeouts", "shellcheck"],
)
def test_the_linter_has_nothing_to_say(command: list[str | Path]) -> None:
    """Each linter passes the files as they are, with no exception made for them."""
    program, *arguments = command
    done = subprocess.run([BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_linter_is_told_to_look_away() -> None:
    """There is no comment or file that silences a linter."""
    for path in [*FILES, *SCRIPTS]:
        assert not re.search(r"shellcheck disable|zizmor: ignore|actionlint-ignore", path.read_text()), path.name
    silencers = ("zizmor.yml", ".github/zizmor.yml", ".github/actionlint.yaml", ".github/actionlint.yml")
    assert not any((ROOT / name).exists() for name in silencers)
