"""A run can be told where it is made from; runs from several vantages are one verdict, by a quorum."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.cli import main

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project

_POLICY = "deadline: 30s, vantages: [eu, us, ap], quorum: 2 of 3"


def _write(project: Project) -> None:
    project.target(policy=_POLICY)
    project.suite("""
        - {name: everywhere, get: 'api:/ok', expect: {status: 200}}
        - {name: in Asia, get: 'api:/asia', expect: {status: 200}, vantages: ap}
    """)
    project.tests("""
        @pytest.mark.check(vantages=["eu", "us"])
        def test_in_the_west(api):
            assert api.get("/west").status_code == 200
    """)


def _merged(parts: Path, reports: Path, *more: str) -> tuple[int, dict[str, Any]]:
    status = main(["merge", str(parts), f"--reports={reports}", "--target=local", *more])
    return status, json.loads((reports / "verdict.json").read_text())


def test_three_vantages_are_one_verdict(both: Project, peer: Peer, tmp_path: Path) -> None:
    """Each asks what it is to ask; the gate derives the verdict again; without one of them it still passes."""
    _write(both)
    for name in ("eu", "us", "ap"):
        run = both.run(f"--vantage={name}")
        run.require(10, "all_required_passed")
        assert run.verdict["run"]["vantage"] == name
        shutil.copytree(run.reports, tmp_path / "parts" / name)
    asked = sorted(path for _, path in peer.seen if path != "/")
    assert asked == ["/asia", *["/ok"] * 3, *["/west"] * 2]
    status, document = _merged(tmp_path / "parts", tmp_path / "merged")
    assert (status, document["reason"]) == (0, "all_required_passed")
    assert {check["name"]: check["outcomes"] for check in document["checks"]} == {
        "everywhere": {"eu": "passed", "us": "passed", "ap": "passed"},
        "in Asia": {"eu": "skipped", "us": "skipped", "ap": "passed"},
        "test_in_the_west": {"eu": "passed", "us": "passed", "ap": "skipped"},
    }
    assert main(["gate", f"--verdict={tmp_path / 'merged' / 'verdict.json'}", "--target=local"]) == 0

    shutil.rmtree(tmp_path / "parts" / "us")
    status, document = _merged(tmp_path / "parts", tmp_path / "merged")
    assert (status, document["reason"]) == (10, "required_check_not_proven")
    assert document["summary"] == "test_in_the_west runs at us, where nothing is proven"


def test_a_check_of_another_vantage_is_skipped(project: Project) -> None:
    """With the reason; a run that was not told where it is skips all that are pinned."""
    _write(project)
    run = project.run()
    run.require(10, "all_required_passed")
    reasons = {check["name"]: check["reason"] for check in run.verdict["checks"]}
    assert reasons["in Asia"] == "for vantage ap, this is none of them"
    assert reasons["test_in_the_west"] == "for vantage eu, us, this is none of them"


def test_runs_that_are_no_vantages_of_the_policy(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is merged where a vantage could be forgotten, is there twice, or is foreign."""
    _write(project)
    eu = shutil.copytree(project.run("--vantage=eu").reports, tmp_path / "parts" / "eu")
    for name, words in (("again", "is a run of vantage eu, again"), ("nowhere", "whole is a run of no vantage")):
        parts = tmp_path / name
        shutil.copytree(eu, parts / "a")
        shutil.copytree(eu if name == "again" else project.run().reports, parts / "b")
        assert _merged(parts, tmp_path / "merged")[0] == 10
        assert words in capsys.readouterr().err
    project.target()
    project.run("--vantage=eu")
    shutil.copytree(project.reports, tmp_path / "unnamed" / "eu")
    assert _merged(tmp_path / "unnamed", tmp_path / "merged")[0] == 10
    assert "need 'vantages' in the policy of the target" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("--vantage=EU", "--vantage: 'EU' is not a name"),
        ("quorum: 4 of 3", "'quorum' takes how many of how many vantages"),
        ("quorum: 2 of 3, vantages: [eu, us]", "'policy' has a quorum of 2 of 3 and names 2 vantages"),
        ("vantages: [eu, eu]", "'policy' names one vantage twice"),
        ("vantages: [EU]", "takes the name of a vantage"),
        ("on_regional: fail", "'on_regional' takes hold or warn"),
        ('@pytest.mark.check(vantages="E U")', "'vantages' takes the name of a vantage or a list of them"),
    ],
)
def test_what_is_written_wrong(project: Project, wrong: str, words: str) -> None:
    """Each is told, and nothing is sent."""
    project.suite("- {name: everywhere, get: 'api:/ok', expect: {status: 200}}")
    if wrong.startswith("@"):
        project.tests(f"{wrong}\ndef test_it(api):\n    pass\n")
    elif not wrong.startswith("--"):
        project.target(policy=wrong)
    run = project.run(*([wrong] if wrong.startswith("--") else []))
    assert run.status == 4
    assert words in run.result.stdout.str() + run.result.stderr.str()
