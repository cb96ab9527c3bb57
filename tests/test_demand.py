from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postdeploy.domain.evidence import Evidence
from postdeploy.gate import judge, refuse
from tests.domain.builders import evidence, passed
from tests.sealed import CONFIG, FAILED, FINISHED, PASSED, STARTED, demand, seal

SUITE = PASSED.suite.digest(PASSED.run["plugins"]) if PASSED.suite else ""
FITTING: dict[str, Any] = {
    "begun": STARTED, "urls": {"web": "https://web.test", "api": "https://api.test/"}, "config": CONFIG,
    "suite": SUITE, "status": 0,
}  # fmt: skip
OTHER = "sha256:" + "0" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The verdict of a run that passed."""
    return seal(tmp_path)


def test_everything_fits(path: Path) -> None:
    """A verdict that is about all that was demanded is believed."""
    assert judge(path, demand(**FITTING)).status == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "production"}, "the verdict is about target 'staging', not 'production'"),
        ({"release": "r1"}, "the verdict is about release 'r2', the gate was asked about 'r1'"),
        ({"release": None}, "the gate was asked about no release; name it with --release"),
        ({"run_id": "run-2"}, "the verdict is of run run-1, not run-2"),
        ({"urls": {"web": "https://web.test", "api": "http://api.test"}},
         "the verdict is about service api at https://api.test, not at http://api.test"),
        ({"urls": {"web": "https://web.testX"}}, "at https://web.test, not at https://web.testX"),
        ({"urls": {"cdn": "https://web.test"}}, "the verdict is about service cdn at None, not at https://web.test"),
        ({"config": OTHER}, f"the run was configured by {CONFIG}, not by {OTHER}; targets.yaml differs"),
        ({"suite": OTHER}, f"the run was of suite {SUITE}, not of {OTHER}; its files or plugins differ"),
        ({"status": 10}, "the run ended with status 10, its verdict is pass (status 0)"),
        ({"begun": STARTED + 61}, "started at 1970-01-12T13:46:40.000Z, before gate begin at 1970-01-12T13:47:41"),
        ({"begun": FINISHED + 62, "now": FINISHED + 1}, "gate begin was in the future, at "),
        ({"now": FINISHED - 61}, "the run finished in the future, at 1970-01-12T13:46:50.000Z; compare the clocks"),
        ({"now": FINISHED + 901}, "the verdict is stale: 901 s old, at most 900 s are allowed"),
    ],
)  # fmt: skip
def test_what_does_not_fit(path: Path, changes: dict[str, Any], words: str) -> None:
    """Whatever is demanded and not so is refused, and the sentence names it."""
    ruling = judge(path, demand(**FITTING | changes))
    assert (ruling.status, ruling.sentence.startswith("refused: ")) == (30, True)
    assert words in ruling.sentence


@pytest.mark.parametrize("mode", ["monitor", "load"])
@pytest.mark.parametrize("run", [PASSED, FAILED])
def test_mode(tmp_path: Path, run: Evidence, mode: str) -> None:
    """A run that was made for anything but a deploy promotes nothing and rolls nothing back."""
    path = seal(tmp_path, replace(run, run={**run.run, "mode": mode}))
    words = f"the verdict is of a run in mode '{mode}', which was made to decide about no deploy"
    assert judge(path, demand()) == refuse(words)


@pytest.mark.parametrize(
    "changes",
    [{"begun": STARTED + 60}, {"begun": STARTED + 60, "now": STARTED}, {"now": FINISHED - 60}, {"now": FINISHED + 900}],
)  # fmt: skip
def test_the_last_moment(path: Path, changes: dict[str, Any]) -> None:
    """Clocks may differ by a minute, and an age is allowed up to its last second."""
    assert judge(path, demand(**changes)).status == 0


def test_end_before_start(tmp_path: Path) -> None:
    """A run cannot have finished before it started; in the same millisecond it can."""
    ruling = judge(seal(tmp_path, replace(PASSED, finished_at=STARTED - 0.001)), demand())
    assert ruling == refuse("the run finished before it started")
    assert judge(seal(tmp_path, replace(PASSED, finished_at=STARTED)), demand()).status == 0


@pytest.mark.parametrize(("run", "right", "wrong"), [(PASSED, 0, 20), (FAILED, 20, 0), (FAILED, 20, 1)])
def test_status(tmp_path: Path, run: Evidence, right: int, wrong: int) -> None:
    """The status that the run ended with has to be that of its verdict."""
    path = seal(tmp_path, run)
    assert judge(path, demand(status=right)).status == right
    assert judge(path, demand(status=wrong)).status == 30


def test_what_a_verdict_does_not_say(tmp_path: Path) -> None:
    """A verdict that names no configuration, services or suite fits no demand for one."""
    bare = replace(evidence(passed("home")), run=PASSED.run, target={"name": "staging"})
    path = seal(tmp_path, bare)
    assert judge(path, demand()).status == 0
    for name, words in (
        ("urls", "the verdict is about service web at None, not at https://web.test"),
        ("config", f"the run was configured by None, not by {CONFIG}; targets.yaml differs"),
        ("suite", f"the run was of suite None, not of {SUITE}; its files or plugins differ"),
    ):
        assert judge(path, demand(**{name: FITTING[name]})) == refuse(words)
