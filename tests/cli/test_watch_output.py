from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence

import pytest

from postdeploy.cli.watch_output import teller
from postdeploy.lazy_dataclass import replace
from postdeploy.watching.facts import LastRun, WatchFacts

RUN = LastRun("r", 1_790_000_000.0, 1.26, 0.25, 0, "pass", "all_required_passed", 8, 8, "runs/r")
FACTS = WatchFacts("site", 60.0, 42, 10.0, 20.0, missed=3, due=1_790_000_060.0)
FAILED = replace(RUN, verdict="fail", reason="confirmed_failure", passed=7, status=10)


def told(runs: Sequence[LastRun], capfd: pytest.CaptureFixture[str], **arguments: bool) -> list[str]:
    """What is said of runs, one after another."""
    tell = teller(Namespace(**{"json": False, "quiet": False} | arguments))
    for run in runs:
        tell(FACTS.ended(run, sealed=True))
    return capfd.readouterr().out.splitlines()


def test_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    """A line says when, what, how much of it, how long, and when next."""
    assert (
        told([RUN, RUN], capfd)
        == ["2026-09-21T14:13:20.000Z PASS all_required_passed 8/8 checks 1.3 s next 14:14:20.000Z"] * 2
    )


def test_for_machines(capfd: pytest.CaptureFixture[str]) -> None:
    """The same as a line of JSON."""
    (line,) = told([FAILED], capfd, json=True)
    said = json.loads(line)
    assert (said["run"], said["verdict"], said["status"], said["missed"]) == ("r", "fail", 10, 3)
    assert (said["checks"], said["passed"], said["reports"]) == (8, 7, "runs/r")


def test_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Only what is another verdict, or another reason, than before."""
    other = replace(FAILED, reason="already_broken")
    lines = told([RUN, RUN, FAILED, FAILED, other, RUN, RUN], capfd, quiet=True)
    assert [line.split()[2] for line in lines] == [
        "all_required_passed", "confirmed_failure", "already_broken", "all_required_passed",
    ]  # fmt: skip


def test_nothing_yet(capfd: pytest.CaptureFixture[str]) -> None:
    """Before the first run there is nothing to say."""
    teller(Namespace(json=False, quiet=False))(FACTS)
    assert capfd.readouterr().out == ""
