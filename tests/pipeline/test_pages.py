"""The how-to pages: their scripts are run, their names are the workflows' names."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline.conftest import Ending, Stage

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/how-to/github-actions.md", ROOT / "docs/how-to/plain-bash.md"]
NEW, OLD = "a" * 40, "b" * 40
Release = Callable[..., "Ending"]


def blocks(page: Path) -> list[str]:
    """The fenced bash blocks of a page."""
    return re.findall(r"^```bash\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def release(stage: Stage) -> Release:
    """Run the page's script as ``deploy/release.sh production NEW``."""

    def go(**fakes: str) -> Ending:
        settings = {"DEPLOYER": "deployer", "PAGE_WEBHOOK": "https://page.example/hook"}
        return stage.run(f"exec deploy/release.sh production {NEW}", **settings, **fakes)

    return go


@pytest.mark.parametrize(
    ("fakes", "status", "deployed", "paged"),
    [
        ({}, 0, ["deploy", "shift", "promote"], False),
        ({"FAKE_VERIFY": "20", "FAKE_GATE": "30"}, 20, ["deploy", "shift", "rollback"], False),
        ({"FAKE_VERIFY": "20", "FAKE_VERIFY_OLD": "4"}, 10, ["deploy", "shift", "rollback", "hold"], True),
        ({"FAKE_VERIFY": "20", "FAKE_DEPLOYER_FAILS": "rollback"}, 10, ["deploy", "shift", "rollback", "hold"], True),
        ({"FAKE_VERIFY": "10"}, 10, ["deploy", "shift", "hold"], True),
        ({"FAKE_VERIFY": "4"}, 10, ["deploy", "shift", "hold"], True),
        ({"FAKE_VERIFY": "killed"}, 10, ["deploy", "shift", "hold"], True),
        ({"FAKE_VERIFY": "hung", "VERIFY_LIMIT": "0.2s"}, 10, ["deploy", "shift", "hold"], True),
        ({"FAKE_GATE": "30"}, 10, ["deploy", "shift", "hold"], True),
        ({"FAKE_GATE": "20"}, 10, ["deploy", "shift", "hold"], True),
        ({"FAKE_DEPLOYER_FAILS": "deploy"}, 10, ["deploy", "hold"], True),
        ({"FAKE_DEPLOYER_FAILS": "promote"}, 10, ["deploy", "shift", "promote", "hold"], True),
        ({"FAKE_PREVIOUS": ""}, 10, ["hold"], True),
        ({"FAKE_BEGIN": "4"}, 10, ["hold"], True),
        ({"FAKE_DEPLOYER_FAILS": "previous"}, 10, ["hold"], True),
    ],
)
def test_the_plain_script_does_what_its_page_says(
    stage: Stage, release: Release, fakes: dict[str, str], status: int, deployed: list[str], paged: bool
) -> None:
    """The script on the page, taken from the page, for every way that its parts can end."""
    ending = release(**fakes)
    assert (ending.status, stage.deployed, stage.paged) == (status, deployed, paged), ending.output


SEALS = """
echo "postdeploy $*" >>"$CALLS"
case $* in
  "gate begin"*) echo run-1 ;;
  *" --release $FAKE_NEW"*)
    [[ $* != verify* ]] || { trap 'echo sealed >>"$CALLS"; exit "$FAKE_SEALED"' TERM; while :; do sleep 0.02; done; } ;;
esac
"""


@pytest.mark.parametrize(
    ("sealed", "status", "deployed"),
    [
        ("10", 10, ["deploy", "shift", "hold"]),
        ("0", 10, ["deploy", "shift", "hold"]),
        ("20", 20, ["deploy", "shift", "rollback"]),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_plain_script_that_is_told_to_end_lets_the_verifier_seal(
    stage: Stage, number: signal.Signals, sealed: str, status: int, deployed: list[str]
) -> None:
    """The signal goes to the script alone: it holds, but rolls back what was confirmed as broken by then."""
    stage._program(stage.folder / "bin" / "postdeploy", SEALS)
    settings = {"DEPLOYER": "deployer", "PAGE_WEBHOOK": "https://page.example/hook", "FAKE_SEALED": sealed}
    process = stage.start(f"exec deploy/release.sh production {NEW}", **settings)
    stage.until("postdeploy verify")
    time.sleep(0.1)  # until the verifier listens
    process.send_signal(number)
    ending = stage.end(process)
    assert (ending.status, stage.deployed, stage.paged) == (status, deployed, status == 10), ending.output
    assert stage.calls.count("sealed") == 1


def test_the_script_on_the_page_is_the_one_in_deploy() -> None:
    """What the page explains is what is there to be copied, and what the demo runs."""
    (script,) = blocks(PAGES[1])
    assert script == (ROOT / "deploy/release.sh").read_text()


def test_a_canary_is_verified_at_its_own_address(stage: Stage, release: Release) -> None:
    """Run, verifier and gate are about the canary's target; the deployer and the rollback are about the whole."""
    release(VERIFY_TARGET="canary", FAKE_VERIFY="20")
    begin, verify, again = (call for call in stage.calls if call.startswith("postdeploy"))
    assert begin.startswith("postdeploy gate begin --target canary ")
    assert verify.startswith("postdeploy verify canary ")
    assert again.startswith("postdeploy verify production ")
    assert f"deployer rollback production {NEW} {OLD}" in stage.calls


def test_reports_of_the_rollback_replace_none(stage: Stage, release: Release) -> None:
    """Why it was rolled back can be read after the rollback was verified."""
    stale = stage.work / "reports/r1/rollback/verdict.json"
    stale.parent.mkdir(parents=True)
    stale.touch()
    release(REPORTS="reports/r1", FAKE_VERIFY="20")
    assert not stale.exists()
    folders = [call.split(" --reports ")[1].split()[0] for call in stage.calls if " --reports " in call]
    assert folders == ["reports/r1", "reports/r1", "reports/r1/rollback"]


def test_the_plain_script_pins_the_proof_down(stage: Stage, release: Release) -> None:
    """The gate is asked about the run that has just ended, under the name that it was given."""
    release()
    begin, verify, gate = (call for call in stage.calls if call.startswith("postdeploy"))
    assert stage.calls.index(begin) < stage.calls.index(f"deployer deploy production {NEW}")
    assert begin == f"postdeploy gate begin --target production --release {NEW} --reports reports"
    assert verify.endswith(" --run-id run-1")
    asked = f"--target production --release {NEW} --run-id run-1 --rc 0 --max-age 15m --verdict reports/verdict.json"
    assert gate == f"postdeploy gate check {asked}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_the_scripts_on_the_pages_pass_shellcheck(page: Path) -> None:
    """Whoever copies a script from a page copies a clean one."""
    for block in blocks(page):
        script = block if block.startswith("#!") else f"#!/usr/bin/env bash\nexport STATUS=0\n{block}\nexport action\n"
        command = [str(Path(sys.executable).parent / "shellcheck"), "--norc", "-"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_case_on_the_page_is_the_case_in_the_workflow() -> None:
    """The page explains the very lines that decide."""
    case = blocks(PAGES[0])[-1]
    lines = [line.strip() for line in (ROOT / ".github/workflows/deploy_production.yml").read_text().splitlines()]
    assert "\n".join(line.strip() for line in case.splitlines()) in "\n".join(lines)


def test_the_page_names_every_secret_variable_and_environment() -> None:
    """Whoever follows the page has set up everything that the workflows ask for."""
    page = PAGES[0].read_text()
    for path in sorted((ROOT / ".github/workflows").glob("*.yml")):
        asked = set(re.findall(r"(?:secrets|vars)\.(\w+)|environment: (\S+)", path.read_text()))
        missing = [name or environment for name, environment in asked if f"`{name or environment}`" not in page]
        assert missing == [], path.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_the_pages_point_at_what_exists(page: Path) -> None:
    """Files that are named are there, and links inside the pages have a heading to go to."""
    text = page.read_text()
    for name in re.findall(r"`((?:\.github|deploy|tests)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name
    for name, heading in re.findall(r"\]\(([\w-]+\.md)#([\w-]+)\)", text):
        headings = re.findall(r"^#+ (.*)$", (page.parent / name).read_text(), flags=re.MULTILINE)
        assert heading in [re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings], heading
