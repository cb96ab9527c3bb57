"""TalkStudio's suites against the demo with a fault: the verdicts that the documentation promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from scripts.fault_scenarios import ROOT, SCENARIOS, Observed, Scenario, run_scenario
from tests.warm_python import warm_python

CHOSEN = (
    "none", "api-500", "slow-api", "wrong-release", "mixed-release", "db-down", "flaky", "export-broken", "killed",
    "expired-certificate", "down-after-start=30",
)  # fmt: skip
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def _start(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    ended = warm_python().run(words, cwd=ROOT, env=environment, timeout=180, both=True)
    return ended.status, ended.out


def _one_cause(observed: Observed) -> None:
    """However many checks a dead service blocks, there is one cause."""
    assert [cause["service"] for cause in observed.document["causes"]] == ["api"]


def _pictures(observed: Observed) -> None:
    """A failing UI check keeps a screenshot and a trace, and says where."""
    failed = next(check for check in observed.document["checks"] if "png_export" in check["id"])
    kept = {Path(path).name for path in failed["evidence"]}
    assert {"screenshot.png", "trace.zip"} <= kept


MORE: Mapping[str, Callable[[Observed], None]] = {"db-down": _one_cause, "export-broken": _pictures}
"""What else is true of these, with and without workers."""


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("scenario", [BY_NAME[name] for name in CHOSEN], ids=CHOSEN)
def test_a_fault_gets_its_verdict(scenario: Scenario, workers: str, tmp_path: Path) -> None:
    """Verdict, reason, action and exit status are the documented ones, alone with Allure and on two workers without."""
    allure = [f"--alluredir={tmp_path}"] if workers == "0" else []
    observed = run_scenario(scenario, "-n", workers, *allure, start=_start)
    assert observed.agrees(scenario), f"{observed}\n{observed.document.get('summary')}\n{observed.output[-3000:]}"
    if more := MORE.get(scenario.name):
        more(observed)


def test_a_service_that_never_answers_is_one_cause() -> None:
    """A hang blocks as a refusal does."""
    _one_cause(run_scenario(BY_NAME["hang"], start=_start))
