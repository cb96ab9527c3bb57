"""TalkStudio's suites against the demo with a fault: the verdicts that the documentation promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.fault_scenarios import SCENARIOS, Scenario, run_scenario

CHOSEN = (
    "none", "api-500", "slow-api", "wrong-release", "mixed-release", "db-down", "flaky", "export-broken", "killed",
    "expired-certificate", "down-after-start=30",
)  # fmt: skip
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("scenario", [BY_NAME[name] for name in CHOSEN], ids=CHOSEN)
def test_a_fault_gets_its_verdict(scenario: Scenario, workers: str, tmp_path: Path) -> None:
    """Verdict, reason, action and exit status are the documented ones, alone with Allure and on two workers without."""
    allure = [f"--alluredir={tmp_path}"] if workers == "0" else []
    observed = run_scenario(scenario, "-n", workers, *allure)
    assert observed.agrees(scenario), f"{observed}\n{observed.document.get('summary')}\n{observed.output[-3000:]}"


@pytest.mark.parametrize("name", ["db-down", "hang"])
def test_a_dead_service_is_one_cause(name: str) -> None:
    """However many checks a dead service blocks, there is one cause."""
    observed = run_scenario(BY_NAME[name])
    assert [cause["service"] for cause in observed.document["causes"]] == ["api"]


def test_a_broken_export_leaves_pictures() -> None:
    """A failing UI check keeps a screenshot and a trace, and says where."""
    observed = run_scenario(BY_NAME["export-broken"])
    failed = next(check for check in observed.document["checks"] if "png_export" in check["id"])
    kept = {Path(path).name for path in failed["evidence"]}
    assert {"screenshot.png", "trace.zip"} <= kept
